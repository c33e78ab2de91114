/** The shape of a GLIP network: everything that the graph is built from, stored as `config.json` beside a model. */
export interface GlipConfig {
  readonly model_type: 'groundmill-glip'
  readonly preset: string
  /** Side of the square input in pixels, a multiple of the coarsest stride. */
  readonly image_size: number
  readonly image_mean: readonly [number, number, number]
  readonly image_std: readonly [number, number, number]
  readonly backbone: {
    /** Pixels that the stem folds into one place. */
    readonly patch: number
    /** Channels of each stage; each stage halves the resolution of the one before. */
    readonly widths: readonly number[]
    /** Residual blocks of each stage. */
    readonly depths: readonly number[]
  }
  readonly fpn: {
    readonly channels: number
    /** How many of the last stages become pyramid levels. */
    readonly levels: number
  }
  readonly text: {
    readonly vocab_size: number
    /** Tokens of a prompt, [CLS] and [SEP] and padding included. */
    readonly max_tokens: number
    readonly hidden: number
    readonly layers: number
    readonly heads: number
    readonly intermediate: number
  }
  readonly fusion: {
    readonly blocks: number
    readonly embed: number
    readonly heads: number
  }
  readonly head: {
    /** Side of the one square anchor of a place, in strides of its level. */
    readonly anchor_scale: number
    /** Width of the space of the contrastive loss. */
    readonly contrastive: number
  }
}

/** Stride in pixels of each pyramid level, finest first. */
export function levelStrides({ backbone, fpn }: GlipConfig): number[] {
  const strides = backbone.widths.map((_, stage) => backbone.patch * 2 ** stage)
  return strides.slice(-fpn.levels)
}
