/** Pooling of maps with channels last, and its gradient. */

import { zeros } from './broadcast.js'
import { add, cast, equal, minimum, where } from './elementwise.js'
import { reshape } from './reshape.js'
import { pad as padded, scatterAdd, slice, transpose } from './shape.js'
import { composite, constant, node, op, scalar, sizeOf, sizesOf, type Tensor } from './tensor.js'

export interface PoolOptions {
  readonly kernel: number
  readonly stride: number
  readonly pad: number
}

/**
 * Largest value of each window, as torch.nn.functional.max_pool2d: [N, H, W, C] to [N, floor((H + 2 pad -
 * kernel) / stride) + 1, …, C]. Of equal values the first one, row by row, gets the gradient.
 *
 * WebGPU's MaxPool does not tell where the largest values lie: `portable` graphs look for them.
 */
export function maxPool(x: Tensor, options: PoolOptions): Tensor {
  const { kernel, stride, pad } = options
  const [n, h, w, c] = sizesOf(x, 4)
  const pooled = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1
  const shape = [n, c, pooled(h), pooled(w)]
  const first = transpose(x, [0, 3, 1, 2])
  const attributes = {
    kernel_shape: [kernel, kernel],
    strides: [stride, stride],
    pads: [pad, pad, pad, pad],
  }
  const [largest, indices] = node('MaxPool', {
    inputs: [first],
    attributes,
    outputs: [{ shape }, { shape, dtype: 'int64' }],
  })
  // The places count through the whole tensor.
  const flat = [sizeOf(shape)]
  const y: Tensor = composite(
    'maxPool',
    [first],
    largest,
    (gradient) => {
      const places = composite(
        'placesOfLargest',
        [first, y],
        reshape(indices, flat),
        () => [],
        reshape(placesOfLargest(first, y, options), flat),
      )
      const sum = scatterAdd(zeros([sizeOf(first.shape)]), places, reshape(gradient, flat), 0)
      return [reshape(sum, first.shape)]
    },
    op('MaxPool', [first], shape, { attributes }),
  )
  return transpose(y, [0, 2, 3, 1])
}

/** As MaxPool's second result: for each window the place in `x` [N, C, H, W] of the first value that is its largest. */
function placesOfLargest(x: Tensor, largest: Tensor, { kernel, stride, pad }: PoolOptions): Tensor {
  const [n, c, h, w] = sizesOf(x, 4)
  const [, , outH, outW] = sizesOf(largest, 4)
  const around = padded(padded(x, 2, pad, pad), 3, pad, pad)
  const nowhere = h * w
  const taps = Array.from({ length: kernel * kernel }, (_, tap) => {
    const [row, column] = [Math.floor(tap / kernel), tap % kernel]
    const rows = slice(around, 2, row, row + (outH - 1) * stride + 1, stride)
    const values = slice(rows, 3, column, column + (outW - 1) * stride + 1, stride)
    // Places of one map: those of a whole tensor are more than float32 counts.
    const places = Float32Array.from({ length: outH * outW }, (_, place) => {
      const y = Math.floor(place / outW) * stride + row - pad
      const x = (place % outW) * stride + column - pad
      return y < 0 || y >= h || x < 0 || x >= w ? nowhere : y * w + x
    })
    return where(equal(values, largest), constant(places, [1, 1, outH, outW]), scalar(nowhere))
  })
  const place = taps.reduce((least, tap) => minimum(least, tap))
  const maps = Int32Array.from({ length: n * c }, (_, map) => map * h * w)
  return add(cast(place, 'int32'), constant(maps, [n, c, 1, 1]))
}
