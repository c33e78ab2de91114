import { UserError } from '../../base/user-error.js'
import { type GlipConfig, type ImageSize, sizeStep } from './config.js'

/** Mean and deviation of ImageNet's red, green and blue in 0 to 1, as torchvision gives them. */
const imagenetMean = [0.485, 0.456, 0.406] as const
const imagenetStd = [0.229, 0.224, 0.225] as const

/** Everything but the size of the vocabulary, which the tokenizer decides. */
type Preset = Omit<GlipConfig, 'text'> & { readonly text: Omit<GlipConfig['text'], 'vocab_size'> }

const officialResize = { shortest_edge: 800, longest_edge: 1333 } as const

/**
 * Inputs that hold pictures of every aspect at the official scale, padded by a twelfth at the most on
 * average: squares, 6:5, 4:3, 3:2 and 5:3 with a shorter side of 800, and wider ones, whose longer side of
 * 1333 makes the shorter one less. The most usual aspect comes first.
 */
export const officialSizes: readonly ImageSize[] = (
  [
    [800, 1088],
    [800, 1216],
    [800, 1344],
    [800, 960],
    [800, 800],
    [768, 1344],
    [640, 1344],
    [512, 1344],
  ] as const
).flatMap(([height, width]) => [
  { height, width },
  ...(height === width ? [] : [{ height: width, width: height }]),
])

const officialFusion = { embed: 2048, heads: 8 } as const

/** GLIP-T of the official repository without deep fusion (configs/pretrain/glip_A_Swin_T_O365.yaml). */
function glipT(preset: string): Preset {
  return {
    model_type: 'groundmill-glip',
    preset,
    image_size: 800,
    image_mean: imagenetMean,
    image_std: imagenetStd,
    image_channels: 'bgr',
    image_resize: officialResize,
    selection: { threshold: 0.05, level_candidates: 1000, boxes: 100 },
    backbone: {
      kind: 'swin',
      patch: 4,
      widths: [96, 192, 384, 768],
      depths: [2, 2, 6, 2],
      heads: [3, 6, 12, 24],
      window: 7,
    },
    fpn: { channels: 256, levels: 3, extra_levels: 2 },
    text: { max_tokens: 256, positions: 512, hidden: 768, layers: 12, heads: 12, intermediate: 3072 },
    tower: { kind: 'dyhead', blocks: 6, groups: 16 },
    head: { anchor_scale: 8, box_edges: 'pixel_centres' },
  }
}

const presets: Readonly<Record<string, Preset>> = {
  /** All the parts of GLIP at a size that two cores train in minutes. */
  toy: {
    model_type: 'groundmill-glip',
    preset: 'toy',
    image_size: 96,
    image_mean: imagenetMean,
    image_std: imagenetStd,
    image_channels: 'rgb',
    backbone: { kind: 'conv', patch: 4, widths: [32, 64, 96, 96], depths: [1, 1, 1, 1] },
    fpn: { channels: 64, levels: 3, extra_levels: 0 },
    text: { max_tokens: 48, hidden: 96, layers: 2, heads: 4, intermediate: 192 },
    tower: { kind: 'conv', blocks: 2 },
    fusion: { embed: 64, heads: 4 },
    head: { anchor_scale: 4, box_edges: 'outer', contrastive: 64 },
  },
  /** The parts of `glip-r50` at such a size. */
  'toy-r50': {
    model_type: 'groundmill-glip',
    preset: 'toy-r50',
    image_size: 96,
    image_mean: imagenetMean,
    image_std: imagenetStd,
    image_channels: 'rgb',
    backbone: { kind: 'resnet', patch: 4, widths: [64, 96, 128, 128], depths: [1, 1, 1, 1] },
    fpn: { channels: 64, levels: 3, extra_levels: 0 },
    text: { max_tokens: 48, hidden: 96, layers: 2, heads: 4, intermediate: 192 },
    tower: { kind: 'decoder', blocks: 1, layers: 2, heads: 4, intermediate: 128 },
    fusion: { embed: 64, heads: 4 },
    head: { queries: 20, contrastive: 64 },
  },
  'glip-t-a': glipT('glip-t-a'),
  'glip-t': { ...glipT('glip-t'), fusion: officialFusion },
  'glip-l': {
    ...glipT('glip-l'),
    backbone: {
      kind: 'swin',
      patch: 4,
      widths: [192, 384, 768, 1536],
      depths: [2, 2, 18, 2],
      heads: [6, 12, 24, 48],
      window: 12,
    },
    tower: { kind: 'dyhead', blocks: 8, groups: 16 },
    fusion: officialFusion,
  },
  /**
   * The lighter one: ResNet-50 and a decoder with 100 queries, which needs no anchors and no deformable
   * convolution.
   */
  'glip-r50': {
    model_type: 'groundmill-glip',
    preset: 'glip-r50',
    image_size: 800,
    image_mean: imagenetMean,
    image_std: imagenetStd,
    image_channels: 'rgb',
    image_resize: officialResize,
    backbone: { kind: 'resnet', patch: 4, widths: [256, 512, 1024, 2048], depths: [3, 4, 6, 3] },
    fpn: { channels: 256, levels: 3, extra_levels: 0 },
    text: { max_tokens: 64, positions: 512, hidden: 768, layers: 12, heads: 12, intermediate: 3072 },
    tower: { kind: 'decoder', blocks: 3, layers: 6, heads: 8, intermediate: 2048 },
    fusion: { embed: 1024, heads: 8 },
    head: { queries: 100, contrastive: 64 },
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
  const coarsest = sizeStep(base)
  if (imageSize % coarsest !== 0 || imageSize <= 0) {
    throw new UserError(
      `image_size ${imageSize} is not a multiple of ${coarsest}, the coarsest stride of preset "${preset}".`,
    )
  }
  const positions = base.text.positions ?? Number.POSITIVE_INFINITY
  if ((changes.max_tokens ?? 0) > positions) {
    throw new UserError(
      `max_tokens ${changes.max_tokens} is more than the ${positions} positions that the text encoder of preset "${preset}" has.`,
    )
  }
  const text = { ...base.text, max_tokens: changes.max_tokens ?? base.text.max_tokens, vocab_size: vocabSize }
  return { ...base, image_size: imageSize, text }
}
