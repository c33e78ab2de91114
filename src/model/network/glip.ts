import { relu } from '../../graph/ops/activation.js'
import { add, clip, div, exp, mul } from '../../graph/ops/elementwise.js'
import { linear, matmul, swapLast } from '../../graph/ops/matmul.js'
import { l2Normalize } from '../../graph/ops/norm.js'
import { reshape } from '../../graph/ops/reshape.js'
import { concat, split } from '../../graph/ops/shape.js'
import { input, parameter, sizeAt, sizeOf, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import { convBackbone } from './backbone-conv.js'
import { resnetBackbone } from './backbone-resnet.js'
import { swinBackbone } from './backbone-swin.js'
import { bertEncoder, bertLayer } from './bert.js'
import { type GlipConfig, type ImageSize, sizeStep, squareSize } from './config.js'
import { dyHeadBlock } from './dyhead.js'
import { featurePyramid } from './fpn.js'
import { fuse } from './fusion.js'
import { channelsOf, convParameters, dense, norm, sameConv } from './layers.js'

/** What prompt tuning learns, and nothing else. */
export const promptParameter = 'rpn.tunable_linear.weight'

export interface GlipInputs {
  /** [N, H, W, 3], normalised, H and W multiples of the backbone's last stride. */
  readonly image: Tensor
  /** [N, L] int64. */
  readonly ids: Tensor
  /** [N, L] float32, 1 for a token and 0 for padding. */
  readonly mask: Tensor
}

export interface GlipOutputs {
  /** Region-word alignment [N, A, L], before the sigmoid. Rows follow `anchorsOf`. */
  readonly logits: Tensor
  /** Box deltas of the anchors [N, A, 4]. */
  readonly deltas: Tensor
  /** Centerness [N, A], before the sigmoid. */
  readonly centerness: Tensor
  /** What the contrastive loss compares, where the configuration has it. */
  readonly contrastive?: ContrastiveOutputs
}

export interface ContrastiveOutputs {
  /** Region embeddings [N, A, E], of unit length. */
  readonly regions: Tensor
  /** Token embeddings [N, L, E], of unit length. */
  readonly tokens: Tensor
}

/** @param size of the picture: the graph is for this size alone */
export function glipInputs(
  config: GlipConfig,
  batch: number,
  { height, width }: ImageSize = squareSize(config),
): GlipInputs {
  const { text } = config
  const step = sizeStep(config)
  if (height % step !== 0 || width % step !== 0) {
    throw new Error(`a picture of ${height} x ${width} pixels: sizes must be multiples of ${step}`)
  }
  return {
    image: input('image', [batch, height, width, 3]),
    ids: input('ids', [batch, text.max_tokens], 'int64'),
    mask: input('mask', [batch, text.max_tokens]),
  }
}

/** Backbone and pyramid: maps of all levels, finest first. */
export function pictureLevels({ backbone, fpn, drop }: GlipConfig, image: Tensor): Tensor[] {
  const firstStage = backbone.widths.length - fpn.levels
  const stages = stagesOf(backbone, image, firstStage, drop?.path)
  return featurePyramid(stages, fpn, firstStage + 1, drop?.block)
}

function stagesOf(
  backbone: GlipConfig['backbone'],
  image: Tensor,
  firstStage: number,
  path: number | undefined,
): Tensor[] {
  if (backbone.kind === 'swin') return swinBackbone(image, backbone, firstStage, path)
  const maps = backbone.kind === 'conv' ? convBackbone(image, backbone) : resnetBackbone(image, backbone)
  return maps.slice(firstStage)
}

/** GLIP (Li et al. 2022): backbone and pyramid, text encoder, fusion tower, dense head aligned to words. */
export function glip(config: GlipConfig, inputs: GlipInputs): GlipOutputs {
  const pyramid = pictureLevels(config, inputs.image)
  const { blocks, language } = fusionTower(config, pyramid, inputs)
  return head(config, blocks.at(-1)?.levels ?? pyramid, language)
}

/** Maps of all levels within a block of the tower, finest first. */
export interface TowerBlock {
  /** After the text was fused in; what came into the block where nothing is fused. */
  readonly fused: readonly Tensor[]
  /** What the block gives. */
  readonly levels: readonly Tensor[]
}

/**
 * Text encoder and fusion tower: the maps of each block, and the text as the head reads it [N, L, C].
 */
export function fusionTower(
  config: GlipConfig,
  pyramid: readonly Tensor[],
  { ids, mask }: Pick<GlipInputs, 'ids' | 'mask'>,
): { readonly blocks: readonly TowerBlock[]; readonly language: Tensor } {
  const { fusion, text, tower, drop } = config
  if (tower.kind === 'decoder') throw new Error(`a network of preset ${config.preset} has queries`)
  const encoded = bertEncoder('language_backbone.body.model', ids, mask, text, drop?.dropout)
  let language = config.prompt ? add(encoded, promptOffset(text)) : encoded
  let levels = pyramid

  // The official tower is one sequence: with fusion each block is three of its modules, without it one.
  let at = 0
  const nextModule = () => `rpn.head.dyhead_tower.${at++}`
  const blocks: TowerBlock[] = []
  for (let block = 0; block < tower.blocks; block++) {
    let fusedLevels = levels
    if (fusion) {
      const settings = { ...fusion, gamma: 1 / tower.blocks, drop: drop?.dropout }
      const fused = fuse(`${nextModule()}.b_attn`, flattenLevels(levels), language, mask, settings)
      language = bertLayer(nextModule(), fused.language, mask, text, drop?.dropout)
      fusedLevels = unflattenLevels(fused.vision, levels)
    }
    levels =
      tower.kind === 'dyhead'
        ? dyHeadBlock(nextModule(), fusedLevels, tower.groups)
        : towerConv(nextModule(), fusedLevels)
    blocks.push({ fused: fusedLevels, levels })
  }
  // Text that was never fused reaches the head with its padding zeroed, as in the official GLIP-T (A).
  return { blocks, language: fusion ? language : mul(language, reshape(mask, [...mask.shape, 1])) }
}

/** The official `language_prompt_v2`: a row for each token of the tuned prompt, 0 at first. */
function promptOffset({ max_tokens, hidden }: GlipConfig['text']): Tensor {
  return parameter(promptParameter, [max_tokens, hidden], { kind: 'constant', value: 0 })
}

/** One 3x3 convolution for all levels, with a norm, an activation and a residual. */
function towerConv(name: string, levels: readonly Tensor[]): Tensor[] {
  const channels = channelsOf(levels)
  const conv = convParameters(`${name}.conv`, channels, channels, 3)
  const rows = flattenLevels(levels.map((level) => sameConv(level, conv)))
  const active = relu(norm(`${name}.norm`, rows, 1e-6))
  return unflattenLevels(add(flattenLevels(levels), active), levels)
}

export function head(config: GlipConfig, levels: readonly Tensor[], language: Tensor): GlipOutputs {
  const name = 'rpn.head'
  const { channels } = config.fpn
  const small = { kind: 'normal', std: 0.01 } as const
  const box = convParameters(`${name}.bbox_pred`, channels, 4, 1, small)
  const deltas = levels.map((level, index) => {
    const scale = parameter(`${name}.scales.${index}.scale`, [1], { kind: 'constant', value: 1 })
    return mul(sameConv(level, box), scale)
  })
  const features = flattenLevels(levels)
  const [batch, anchors] = sizesOf(features, 3)
  const centre = convParameters(`${name}.centerness`, channels, 1, 1, small)
  const centerness = linear(features, reshape(centre.weight, [1, channels]), centre.bias)
  return {
    logits: alignment(name, features, language),
    deltas: flattenLevels(deltas),
    centerness: reshape(centerness, [batch, anchors]),
    ...contrastiveOutputs(config, features, language),
  }
}

/** What the contrastive loss compares, where a configuration has a space for it. */
export function contrastiveOutputs(
  { head: { contrastive: width } }: GlipConfig,
  features: Tensor,
  language: Tensor,
): { readonly contrastive?: ContrastiveOutputs } {
  if (width === undefined) return {}
  const regions = l2Normalize(dense('rpn.head.contrastive_image', features, width))
  return {
    contrastive: { regions, tokens: l2Normalize(dense('rpn.head.contrastive_text', language, width)) },
  }
}

/**
 * Dot-product alignment of places and words, as the official head computes it: with e the text of unit
 * length, feature . W (e / 2) / exp(log_scale) + e . bias_lang + bias0, limited to +-50000. bias0 starts at
 * log(0.01 / 0.99), the focal loss's prior.
 */
export function alignment(name: string, features: Tensor, language: Tensor): Tensor {
  const [batch, length, width] = sizesOf(language, 3)
  const channels = sizeAt(features, 2)
  const unit = l2Normalize(language)
  const words = dense(`${name}.dot_product_projection_text`, mul(unit, 0.5), channels)
  const logScale = parameter(`${name}.log_scale`, [1], { kind: 'constant', value: 0 })
  const products = div(matmul(features, swapLast(words)), exp(logScale))
  const direction = parameter(`${name}.bias_lang`, [width], { kind: 'constant', value: 0 })
  const prior = parameter(`${name}.bias0`, [1], { kind: 'constant', value: -Math.log(99) })
  const bias = add(linear(unit, reshape(direction, [1, width])), prior)
  return clip(add(products, reshape(bias, [batch, 1, length])), -50_000, 50_000)
}

/** Maps [N, Hi, Wi, C] of all levels as one row of places [N, P, C]. */
export function flattenLevels(levels: readonly Tensor[]): Tensor {
  return concat(
    levels.map((level) => {
      const [n, h, w, c] = sizesOf(level, 4)
      return reshape(level, [n, h * w, c])
    }),
    1,
  )
}

/** The inverse of `flattenLevels`, with the sizes of `like`. */
function unflattenLevels(rows: Tensor, like: readonly Tensor[]): Tensor[] {
  const places = like.map((level) => sizeOf(level.shape.slice(1, 3)))
  const parts = split(rows, places, 1)
  return like.map(({ shape }, index) => reshape(parts[index]!, [...shape.slice(0, 3), sizeAt(rows, 2)]))
}
