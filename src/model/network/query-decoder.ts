/**
 * The decoder of DETR (Carion et al. 2020): queries that read a picture's maps, with the parameter names of
 * PyTorch.
 */
import { relu, softmax } from '../../graph/ops/activation.js'
import { expand } from '../../graph/ops/broadcast.js'
import { add, mul } from '../../graph/ops/elementwise.js'
import { linear, matmul, swapLast } from '../../graph/ops/matmul.js'
import { reshape } from '../../graph/ops/reshape.js'
import { concat, split, transpose } from '../../graph/ops/shape.js'
import { constant, parameter, sizeAt, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import { mergeHeads } from './bert.js'
import { dense, norm, xavier } from './layers.js'

const epsilon = 1e-5
const temperature = 10_000

export interface DecoderShape {
  readonly heads: number
  readonly intermediate: number
}

/**
 * Where the places of a map lie, as DETR's normalised sine encoding: half the channels for the row, half for
 * the column, sines and cosines in turn of angles from 2 pi over the map's side.
 *
 * @returns [1, rows * columns, channels]
 */
export function sinePositions(rows: number, columns: number, channels: number): Tensor {
  const half = channels / 2
  const axis = (size: number) =>
    Float32Array.from({ length: size * half }, (_, index) => {
      const channel = index % half
      const at = ((Math.floor(index / half) + 1) / (size + 1e-6)) * 2 * Math.PI
      const angle = at / temperature ** ((2 * Math.floor(channel / 2)) / half)
      return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
    })
  // Laid out by the graph: as data it would be as large as the map.
  const byRow = expand(constant(axis(rows), [rows, 1, half]), [rows, columns, half])
  const byColumn = expand(constant(axis(columns), [1, columns, half]), [rows, columns, half])
  return reshape(concat([byRow, byColumn], 2), [1, rows * columns, channels])
}

/**
 * One layer: queries attend to each other, then to the places of the picture, then a feed-forward part, each
 * added to what was there and normed. Positions are added to what is compared, never to what is read.
 *
 * @param x [N, Q, C] @param queryPositions [1, Q, C]
 * @param memory [N, P, C] @param memoryPositions [1, P, C]
 */
export function decoderLayer(
  name: string,
  x: Tensor,
  queryPositions: Tensor,
  memory: Tensor,
  memoryPositions: Tensor,
  { heads, intermediate }: DecoderShape,
): Tensor {
  const query = add(x, queryPositions)
  const selfAttended = attention(`${name}.self_attn`, query, query, x, heads)
  const y = norm(`${name}.norm1`, add(x, selfAttended), epsilon)
  const places = add(memory, memoryPositions)
  const crossAttended = attention(`${name}.multihead_attn`, add(y, queryPositions), places, memory, heads)
  const z = norm(`${name}.norm2`, add(y, crossAttended), epsilon)
  const width = sizeAt(x, 2)
  const inner = relu(dense(`${name}.linear1`, z, intermediate))
  return norm(`${name}.norm3`, add(z, dense(`${name}.linear2`, inner, width)), epsilon)
}

/** torch.nn.MultiheadAttention: one matrix holds the maps of query, key and value. */
function attention(name: string, query: Tensor, key: Tensor, value: Tensor, heads: number): Tensor {
  const width = sizeAt(query, 2)
  const size = width / heads
  const weight = parameter(`${name}.in_proj_weight`, [3 * width, width], xavier(width, 3 * width))
  const bias = parameter(`${name}.in_proj_bias`, [3 * width], { kind: 'constant', value: 0 })
  const thirds = [width, width, width] as const
  const [weightQ, weightK, weightV] = split(weight, thirds, 0)
  const [biasQ, biasK, biasV] = split(bias, thirds, 0)
  const byHead = (x: Tensor, map: Tensor, shift: Tensor) => {
    const [n, length] = sizesOf(x, 3)
    return transpose(reshape(linear(x, map, shift), [n, length, heads, size]), [0, 2, 1, 3])
  }
  const q = byHead(query, weightQ, biasQ)
  const k = byHead(key, weightK, biasK)
  const v = byHead(value, weightV, biasV)
  const shares = softmax(matmul(mul(q, size ** -0.5), swapLast(k)))
  return dense(`${name}.out_proj`, mergeHeads(matmul(shares, v)), width)
}
