import type { DropRates } from './drop.js'

/**
 * The shape of a GLIP network: everything that the graph is built from, stored as `config.json` beside a
 * model.
 */
export interface GlipConfig {
  readonly model_type: 'groundmill-glip'
  readonly preset: string
  /**
   * Side of the square input in pixels where no other size is asked for, a multiple of the backbone's last
   * stride.
   */
  readonly image_size: number
  /**
   * Sizes of inputs, height and width, that a model folder has a graph for; the square alone where it is not
   * given.
   */
  readonly image_sizes?: readonly (readonly [height: number, width: number])[]
  /**
   * How large a picture is shown: its shorter side in pixels, as far as the longer one stays within bounds.
   * Where it is not given a picture fills the input.
   */
  readonly image_resize?: ImageResize
  /** Mean and deviation of red, green and blue in 0 to 1. */
  readonly image_mean: readonly [number, number, number]
  readonly image_std: readonly [number, number, number]
  /** Order of the input's channels. */
  readonly image_channels: 'rgb' | 'bgr'
  readonly backbone: ConvBackbone | SwinBackbone | ResnetBackbone
  readonly fpn: {
    readonly channels: number
    /** How many of the backbone's last stages become pyramid levels. */
    readonly levels: number
    /** Levels above those, each a convolution of stride 2 over the one below: 2 for P6 and P7. */
    readonly extra_levels: number
  }
  readonly text: {
    readonly vocab_size: number
    /** Tokens of a prompt, [CLS] and [SEP] and padding included. */
    readonly max_tokens: number
    /** Rows of the table of positions, where it is longer than a prompt. */
    readonly positions?: number
    readonly hidden: number
    readonly layers: number
    readonly heads: number
    readonly intermediate: number
  }
  /**
   * Blocks over the pyramid: a plain convolution with a norm, DyHead's dynamic convolution, or none but the
   * fusion, under the layers of a decoder.
   */
  readonly tower:
    | { readonly kind: 'conv'; readonly blocks: number }
    | { readonly kind: 'dyhead'; readonly blocks: number; readonly groups: number }
    | {
        readonly kind: 'decoder'
        readonly blocks: number
        readonly layers: number
        readonly heads: number
        readonly intermediate: number
      }
  /**
   * Cross attention between picture and text before each block of the tower; none where the two meet in the
   * head only.
   */
  readonly fusion?: {
    readonly embed: number
    readonly heads: number
  }
  /**
   * Set where the network was prompt-tuned: the category names it is asked for, together and in this order. A
   * learned offset, a row for each token of that prompt, is added to what the text encoder gives.
   */
  readonly prompt?: readonly string[]
  /**
   * Set while a network is trained, where it loses something at random; `config.json` of a model has none.
   */
  readonly drop?: DropRates
  /**
   * Which boxes of a picture are kept, as the official code does it; a model without it has groundmill's own
   * way.
   */
  readonly selection?: BoxSelection
  /** A box at each place, moved from an anchor, or a box for each of some queries. */
  readonly head: (AnchorHead | QueryHead) & {
    /** Width of the space of the contrastive loss; no such space, and no such term, where it is not given. */
    readonly contrastive?: number
  }
}

export interface AnchorHead {
  /** Side of the one square anchor of a place, in strides of its level. */
  readonly anchor_scale: number
  readonly box_edges: BoxEdges
}

/**
 * What the coordinates of a box are for a network: its edges, or the places of its first and its last pixel, as
 * in the official code, whose boxes are inclusive. Written in edges both are the same box as long as nothing is
 * scaled. Where a picture is shown at another size, the official code scales the places of the pixels
 * (`scalePixelBox`), so that a network that learned from it gives boxes for that; and its training measures
 * boxes between the centres of the outermost pixels, half a pixel inside of the edges on every side.
 */
export type BoxEdges = 'outer' | 'pixel_centres'

/** What the boxes of a network are; a network with queries has edges. */
export const boxEdgesOf = ({ head }: Pick<GlipConfig, 'head'>): BoxEdges =>
  'box_edges' in head ? head.box_edges : 'outer'

export interface QueryHead {
  /** How many boxes the decoder gives. */
  readonly queries: number
}

/** Queries of a network that has them; undefined for one with anchors. */
export const queriesOf = ({ head }: Pick<GlipConfig, 'head'>): number | undefined =>
  'queries' in head ? head.queries : undefined

/** INPUT.MIN_SIZE_TEST and MAX_SIZE_TEST of the official configuration. */
export interface ImageResize {
  readonly shortest_edge: number
  readonly longest_edge: number
}

/** INFERENCE_TH, PRE_NMS_TOP_N and DETECTIONS_PER_IMG of the official configuration. */
export interface BoxSelection {
  /** What the mean of a phrase's word probabilities must exceed at a place, before centerness. */
  readonly threshold: number
  /** Candidates of a level, over places and phrases. */
  readonly level_candidates: number
  /** Boxes of a picture, over all its phrases. */
  readonly boxes: number
}

/** A small residual network of 3x3 convolutions. */
export interface ConvBackbone {
  readonly kind: 'conv'
  /** Pixels that the stem folds into one place. */
  readonly patch: number
  /** Channels of each stage; each stage halves the resolution of the one before. */
  readonly widths: readonly [number, ...number[]]
  /** Residual blocks of each stage. */
  readonly depths: readonly number[]
}

/** Swin Transformer (Liu et al. 2021). */
export interface SwinBackbone {
  readonly kind: 'swin'
  readonly patch: number
  readonly widths: readonly [number, ...number[]]
  readonly depths: readonly number[]
  /** Attention heads of each stage. */
  readonly heads: readonly number[]
  /** Side of an attention window, in places. */
  readonly window: number
}

/** ResNet with bottlenecks (He et al. 2016). */
export interface ResnetBackbone {
  readonly kind: 'resnet'
  /** Stride of the first stage, which the stem makes. */
  readonly patch: 4
  /** Channels of each stage; its inner convolutions and the stem have a quarter of the first. */
  readonly widths: readonly [number, ...number[]]
  readonly depths: readonly number[]
}

/** Size of the network's input in pixels. */
export interface ImageSize {
  readonly height: number
  readonly width: number
}

/** The square of a configuration. */
export const squareSize = ({ image_size }: Pick<GlipConfig, 'image_size'>): ImageSize => ({
  height: image_size,
  width: image_size,
})

/** The sizes that a model folder of a configuration has graphs for; the first is that of `model.onnx`. */
export const inputSizes = (config: GlipConfig): ImageSize[] =>
  config.image_sizes?.map(([height, width]) => ({ height, width })) ?? [squareSize(config)]

/** Stride in pixels of the backbone's last stage: sizes of inputs are multiples of it. */
export const sizeStep = ({ backbone }: Pick<GlipConfig, 'backbone'>): number =>
  backbone.patch * 2 ** (backbone.widths.length - 1)

/** Stride in pixels of each pyramid level, finest first. */
export function levelStrides({ backbone, fpn }: GlipConfig): number[] {
  const strides = backbone.widths.map((_, stage) => backbone.patch * 2 ** stage)
  const last = sizeStep({ backbone })
  const above = Array.from({ length: fpn.extra_levels }, (_, index) => last * 2 ** (index + 1))
  return [...strides.slice(-fpn.levels), ...above]
}
