import { UserError } from '../user-error.js'
import type { GlipConfig } from './config.js'

/** Mean and deviation of ImageNet's red, green and blue in 0 to 1, as torchvision gives them. */
const imagenetMean = [0.485, 0.456, 0.406] as const
const imagenetStd = [0.229, 0.224, 0.225] as const

/** Everything but the size of the vocabulary, which the tokenizer decides. */
type Preset = Omit<GlipConfig, 'text'> & { readonly text: Omit<GlipConfig['text'], 'vocab_size'> }

const presets: Readonly<Record<string, Preset>> = {
  /** All the parts of GLIP at a size that two cores train in minutes. */
  toy: {
    model_type: 'groundmill-glip',
    preset: 'toy',
    image_size: 96,
    image_mean: imagenetMean,
    image_std: imagenetStd,
    backbone: { patch: 4, widths: [32, 64, 96, 96], depths: [1, 1, 1, 1] },
    fpn: { channels: 64, levels: 3 },
    text: { max_tokens: 48, hidden: 96, layers: 2, heads: 4, intermediate: 192 },
    fusion: { blocks: 2, embed: 64, heads: 4 },
    head: { anchor_scale: 4, contrastive: 64 },
  },
}

export const presetNames: readonly string[] = Object.keys(presets)

/**
 * The configuration of a preset.
 *
 * @param changes what to set instead, such as another `image_size`
 */
export function glipConfig(
  preset: string,
  vocabSize: number,
  changes: { readonly image_size?: number; readonly max_tokens?: number } = {},
): GlipConfig {
  const base = presets[preset]
  if (!base) throw new UserError(`Unknown preset "${preset}": use one of ${presetNames.join(', ')}.`)
  const imageSize = changes.image_size ?? base.image_size
  const coarsest = base.backbone.patch * 2 ** (base.backbone.widths.length - 1)
  if (imageSize % coarsest !== 0 || imageSize <= 0) {
    throw new UserError(
      `image_size ${imageSize} is not a multiple of ${coarsest}, the coarsest stride of preset "${preset}".`,
    )
  }
  const text = { ...base.text, max_tokens: changes.max_tokens ?? base.text.max_tokens, vocab_size: vocabSize }
  return { ...base, image_size: imageSize, text }
}
