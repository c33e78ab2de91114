/** Pooling of maps with channels last, and its gradient. */

import { zeros } from './broadcast.js'
import { reshape } from './reshape.js'
import { scatterAdd, transpose } from './shape.js'
import { node, sizeOf, sizesOf, type Tensor } from './tensor.js'

/**
 * Largest value of each window, as torch.nn.functional.max_pool2d: [N, H, W, C] to [N, floor((H + 2 pad -
 * kernel) / stride) + 1, …, C]. Of equal values the first one, row by row, gets the gradient.
 */
export function maxPool(
  x: Tensor,
  { kernel, stride, pad }: { readonly kernel: number; readonly stride: number; readonly pad: number },
): Tensor {
  const [n, h, w, c] = sizesOf(x, 4)
  const pooled = (size: number) => Math.floor((size + 2 * pad - kernel) / stride) + 1
  const shape = [n, c, pooled(h), pooled(w)]
  const first = transpose(x, [0, 3, 1, 2])
  const [y] = node('MaxPool', {
    inputs: [first],
    attributes: {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    },
    outputs: [{ shape }, { shape, dtype: 'int64' }],
    vjp: ([, places]) => {
      return ([gradient]) => {
        if (!gradient) return []
        // The places count through the whole tensor.
        const flat = [sizeOf(shape)]
        const whole = zeros([sizeOf(first.shape)])
        const sum = scatterAdd(whole, reshape(places, flat), reshape(gradient, flat), 0)
        return [reshape(sum, first.shape)]
      }
    },
  })
  return transpose(y, [0, 2, 3, 1])
}
