/**
 * What is set to 0 at random, by uniform noise that is fed: the same noise drops the same, on every device.
 */

import { reduceSum } from './broadcast.js'
import { add, cast, div, less, maximum, mul, sub } from './elementwise.js'
import { maxPool } from './pool.js'
import { reshape } from './reshape.js'
import { slice } from './shape.js'
import { op, type Shape, sizeOf, type Tensor } from './tensor.js'

/**
 * Dropout (Srivastava et al. 2014): 0 where the noise is under `rate`, divided by 1 - rate elsewhere, so that
 * the expectation is `x`.
 *
 * @param noise uniform in [0, 1), of a shape that broadcasts to that of `x`
 */
export function dropout(x: Tensor, rate: number, noise: Tensor): Tensor {
  return mul(x, mul(sub(1, cast(less(noise, rate), 'float32')), 1 / (1 - rate)))
}

/** Side of the blocks that DropBlock drops. */
const side = 3

/**
 * DropBlock (Ghiasi et al. 2018) as the official code has it: around seeds, which are `rate / 9` of the
 * places, blocks of 3 x 3 places are 0 in all channels; the rest is multiplied by all places over those that
 * are left.
 *
 * @param x [N, H, W, C]
 * @param noise uniform in [0, 1), [N, H, W, 1]
 */
export function dropBlock(x: Tensor, rate: number, noise: Tensor): Tensor {
  const seeds = cast(less(noise, rate / side ** 2), 'float32')
  const kept = sub(1, maxPool(seeds, { kernel: side, stride: 1, pad: (side - 1) / 2 }))
  // Of a map of few places nothing may be left.
  const share = div(sizeOf(noise.shape), maximum(reduceSum(kept), 1))
  return mul(x, mul(kept, share))
}

/** Numbers that `spreadNoise` needs for a shape: two for each row and one for each column. */
export const spreadLength = (shape: Shape): number => {
  const columns = shape.at(-1) ?? 1
  return 2 * (sizeOf(shape) / columns) + columns
}

/**
 * Turns that the places of a row are spread over: many, yet few enough to leave 15 bits behind the point of a
 * float32.
 */
const turns = 256

/**
 * Uniform noise for every element of a shape out of few numbers: attention over all places of a large picture
 * has hundreds of millions of elements, too many to be fed. With a and u of its row and b of its column, an
 * element's is the part of 256 (1 + a) b + u behind the point: uniform, since u is; two elements of a row
 * differ by the difference of their b, hundreds of turns apart, and two of a column by that of their u.
 *
 * @param numbers uniform in [0, 1), [spreadLength(shape)]
 */
export function spreadNoise(numbers: Tensor, shape: Shape): Tensor {
  const columns = shape.at(-1) ?? 1
  const rows = sizeOf(shape) / columns
  const column = [...shape.slice(0, -1), 1]
  const a = reshape(slice(numbers, 0, 0, rows), column)
  const u = reshape(slice(numbers, 0, rows, 2 * rows), column)
  const b = reshape(slice(numbers, 0, 2 * rows, 2 * rows + columns), [columns])
  const places = add(mul(add(a, 1), mul(b, turns)), u)
  return sub(places, op('Floor', [places], places.shape))
}
