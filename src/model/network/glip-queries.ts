import { relu, sigmoid } from '../../graph/ops/activation.js'
import { zeros } from '../../graph/ops/broadcast.js'
import { add, mul, sub } from '../../graph/ops/elementwise.js'
import { reshape } from '../../graph/ops/reshape.js'
import { concat, split } from '../../graph/ops/shape.js'
import { constant, parameter, sizeAt, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import { bertEncoder, bertLayer } from './bert.js'
import { type GlipConfig, type ImageSize, queriesOf } from './config.js'
import { fuse } from './fusion.js'
import {
  alignment,
  type ContrastiveOutputs,
  contrastiveOutputs,
  flattenLevels,
  type GlipInputs,
  pictureLevels,
} from './glip.js'
import { channelsOf, dense, norm } from './layers.js'
import { decoderLayer, sinePositions } from './query-decoder.js'

/** What the head reads of the decoder's last layer, or of each. */
export interface QueryOutputs {
  /** Alignment of queries and words [N, Q, L], before the sigmoid. */
  readonly logits: Tensor
  /** Centre, width and height of each query's box as shares of the input [N, Q, 4]. */
  readonly boxes: Tensor
  /** What the contrastive loss compares, where the configuration has it. */
  readonly contrastive?: ContrastiveOutputs
}

/**
 * GLIP with a decoder in place of the dense head: backbone and pyramid, text encoder, fusion of both, then
 * queries that read the fused places (DETR, Carion et al. 2020), each with a box and its alignment to the
 * words.
 *
 * @param eachLayer whether the head reads every layer of the decoder: rows are then the queries of the first
 * layer, of the second and so on, and Q is their sum
 */
export function glipQueries(
  config: GlipConfig,
  { image, ids, mask }: GlipInputs,
  eachLayer = false,
): QueryOutputs {
  const { fusion, text, tower, drop } = config
  const queries = queriesOf(config)
  if (tower.kind !== 'decoder' || queries === undefined)
    throw new Error(`preset ${config.preset} has no queries`)
  const name = 'rpn.head'
  const levels = pictureLevels(config, image)
  let memory = flattenLevels(levels)
  let language = bertEncoder('language_backbone.body.model', ids, mask, text, drop?.dropout)
  for (let block = 0; fusion && block < tower.blocks; block++) {
    const settings = { ...fusion, gamma: 1 / tower.blocks, drop: drop?.dropout }
    const fused = fuse(`${name}.fusion.${block}.b_attn`, memory, language, mask, settings)
    memory = fused.vision
    language = bertLayer(`${name}.fusion.${block}.bert`, fused.language, mask, text, drop?.dropout)
  }
  const places = levelPositions(`${name}.level_embed`, levels)
  const [batch, , channels] = sizesOf(memory, 3)
  const embedding = parameter(`${name}.query_embed.weight`, [queries, channels], { kind: 'normal', std: 1 })
  const positions = reshape(embedding, [1, queries, channels])
  let x = zeros([batch, queries, channels])
  const layers: Tensor[] = []
  for (let layer = 0; layer < tower.layers; layer++) {
    x = decoderLayer(`${name}.decoder.layers.${layer}`, x, positions, memory, places, tower)
    layers.push(x)
  }
  const read = eachLayer && layers.length > 1 ? concat(layers, 1) : x
  const features = norm(`${name}.decoder.norm`, read, 1e-5)
  return {
    logits: alignment(name, features, language),
    boxes: boxHead(`${name}.bbox_embed`, features),
    ...contrastiveOutputs(config, features, language),
  }
}

/** Sine positions of all levels in a row, each with what tells its level: [1, P, C]. */
function levelPositions(name: string, levels: readonly Tensor[]): Tensor {
  const channels = channelsOf(levels)
  const table = parameter(name, [levels.length, channels], { kind: 'normal', std: 1 })
  const each = split(
    table,
    levels.map(() => 1),
    0,
  )
  return concat(
    levels.map((level, index) => {
      const [, h, w] = sizesOf(level, 4)
      return add(sinePositions(h, w, channels), reshape(each[index]!, [1, 1, channels]))
    }),
    1,
  )
}

/** Three dense layers, then a sigmoid. */
function boxHead(name: string, features: Tensor): Tensor {
  const width = sizeAt(features, 2)
  const first = relu(dense(`${name}.layers.0`, features, width))
  const second = relu(dense(`${name}.layers.1`, first, width))
  return sigmoid(dense(`${name}.layers.2`, second, 4))
}

/** Corners x1 y1 x2 y2 in pixels of the input, of boxes by centre and size in shares of it. */
export function cornersInPixels(boxes: Tensor, { height, width }: ImageSize): Tensor {
  const [centre, size] = split(boxes, [2, 2], 2)
  const half = mul(size, 0.5)
  const shares = concat([sub(centre, half), add(centre, half)], 2)
  return mul(shares, constant([width, height, width, height], [1, 1, 4]))
}
