import { relu } from '../graph/ops/activation.js'
import { add, clip, div, exp, mul } from '../graph/ops/elementwise.js'
import { linear, matmul, swapLast } from '../graph/ops/matmul.js'
import { l2Normalize } from '../graph/ops/norm.js'
import { concat, reshape, split } from '../graph/ops/shape.js'
import { input, parameter, sizeOf, type Tensor } from '../graph/tensor.js'
import { convBackbone } from './backbone-conv.js'
import { bertEncoder, bertLayer } from './bert.js'
import type { GlipConfig } from './config.js'
import { featurePyramid } from './fpn.js'
import { fuse } from './fusion.js'
import { convParameters, dense, norm, sameConv } from './layers.js'

export interface GlipInputs {
  /** [N, S, S, 3], normalised. */
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
  /** Region embeddings for the contrastive loss [N, A, E], of unit length. */
  readonly regions: Tensor
  /** Token embeddings for the contrastive loss [N, L, E], of unit length. */
  readonly tokens: Tensor
}

export function glipInputs({ image_size, text }: GlipConfig, batch: number): GlipInputs {
  return {
    image: input('image', [batch, image_size, image_size, 3]),
    ids: input('ids', [batch, text.max_tokens], 'int64'),
    mask: input('mask', [batch, text.max_tokens]),
  }
}

/** GLIP (Li et al. 2022): backbone and pyramid, text encoder, fusion tower, dense head aligned to words. */
export function glip(config: GlipConfig, { image, ids, mask }: GlipInputs): GlipOutputs {
  const { backbone, fpn, fusion, text } = config
  const stages = convBackbone(image, config)
  const firstStage = backbone.widths.length - fpn.levels
  let levels = featurePyramid(stages.slice(firstStage), fpn.channels, firstStage + 1)
  let language = bertEncoder('language_backbone.body.model', ids, mask, text)

  const tower = 'rpn.head.dyhead_tower'
  for (let block = 0; block < fusion.blocks; block++) {
    const fused = fuse(`${tower}.${3 * block}.b_attn`, flattenLevels(levels), language, mask, fusion)
    language = bertLayer(`${tower}.${3 * block + 1}`, fused.language, mask, text)
    levels = towerConv(`${tower}.${3 * block + 2}`, unflattenLevels(fused.vision, levels))
  }
  return head(config, levels, language)
}

/** One 3x3 convolution for all levels, with a norm, an activation and a residual. */
function towerConv(name: string, levels: readonly Tensor[]): Tensor[] {
  const channels = levels[0].shape[3]
  const conv = convParameters(`${name}.conv`, channels, channels, 3)
  const rows = flattenLevels(levels.map((level) => sameConv(level, conv)))
  const active = relu(norm(`${name}.norm`, rows, 1e-6))
  return unflattenLevels(add(flattenLevels(levels), active), levels)
}

function head(config: GlipConfig, levels: readonly Tensor[], language: Tensor): GlipOutputs {
  const name = 'rpn.head'
  const { channels } = config.fpn
  const small = { kind: 'normal', std: 0.01 } as const
  const box = convParameters(`${name}.bbox_pred`, channels, 4, 1, small)
  const deltas = levels.map((level, index) => {
    const scale = parameter(`${name}.scales.${index}.scale`, [1], { kind: 'constant', value: 1 })
    return mul(sameConv(level, box), scale)
  })
  const features = flattenLevels(levels)
  const [batch, anchors] = features.shape
  const centerness = reshape(dense(`${name}.centerness`, features, 1, small), [batch, anchors])

  return {
    logits: alignment(name, features, language),
    deltas: flattenLevels(deltas),
    centerness,
    regions: l2Normalize(dense(`${name}.contrastive_image`, features, config.head.contrastive)),
    tokens: l2Normalize(dense(`${name}.contrastive_text`, language, config.head.contrastive)),
  }
}

/**
 * Dot-product alignment of places and words, as the official head computes it: with e the text of unit length,
 * feature . W (e / 2) / exp(log_scale) + e . bias_lang + bias0, limited to +-50000. bias0 starts at
 * log(0.01 / 0.99), the focal loss's prior.
 */
function alignment(name: string, features: Tensor, language: Tensor): Tensor {
  const [batch, length, width] = language.shape
  const channels = features.shape[2]
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
function flattenLevels(levels: readonly Tensor[]): Tensor {
  return concat(
    levels.map((level) => {
      const [n, h, w, c] = level.shape
      return reshape(level, [n, h * w, c])
    }),
    1,
  )
}

/** The inverse of `flattenLevels`, with the sizes of `like`. */
function unflattenLevels(rows: Tensor, like: readonly Tensor[]): Tensor[] {
  const places = like.map((level) => sizeOf(level.shape.slice(1, 3)))
  return split(rows, places, 1).map((part, index) =>
    reshape(part, [...like[index].shape.slice(0, 3), rows.shape[2]]),
  )
}
