/**
 * Modulated deformable convolution (DCNv2, Zhu et al. 2019) over pictures with channels last, and its
 * gradients.
 */

import type { ConvOptions } from './conv.js'
import { deformByGather } from './deform-by-gather.js'
import { deformByMatrix } from './deform-by-matrix.js'
import { reshape } from './reshape.js'
import { transpose } from './shape.js'
import { composite, op, sizesOf, type Tensor } from './tensor.js'

/**
 * Places of a map up to which `deformByMatrix` takes less than `deformByGather`: of 256 channels, with two threads, 0.65
 * of the time at 16 x 16 places, 0.83 at 20 x 20 and 1.23 at 25 x 25. Its matrix has 6 MB for a picture at the most.
 */
const matrixPlaces = 400

/**
 * As torchvision.ops.deform_conv2d with a mask, one group and one offset group: tap (r, c) of output place
 * (y, x) reads the input bilinearly at (y stride + r - pad + dy, x stride + c - pad + dx), outside of which
 * it is 0, times its mask.
 *
 * The forward pass is ONNX's DeformConv; `portable` graphs, and the gradient, which ONNX has not, are written
 * out of other operators, as is best for the size of the map.
 *
 * @param x [N, H, W, I]
 * @param offset [N, H', W', 2 kH kW], (dy, dx) of each tap, taps row by row
 * @param mask [N, H', W', kH kW]
 * @param weight [O, kH, kW, I]
 * @param bias [O]
 * @returns [N, H', W', O], H' = floor((H + 2 pad - kH) / stride) + 1
 */
export function deformConv2d(
  x: Tensor,
  offset: Tensor,
  mask: Tensor,
  weight: Tensor,
  bias: Tensor,
  { stride = 1, pad = 0 }: ConvOptions = {},
): Tensor {
  const [n, h, w] = sizesOf(x, 4)
  const [outChannels, kh, kw] = sizesOf(weight, 4)
  const outH = Math.floor((h + 2 * pad - kh) / stride) + 1
  const outW = Math.floor((w + 2 * pad - kw) / stride) + 1
  const taps = kh * kw
  const shape = [n, outH, outW, outChannels]
  if (
    `${offset.shape}` !== `${[n, outH, outW, 2 * taps]}` ||
    `${mask.shape}` !== `${[n, outH, outW, taps]}`
  ) {
    throw new Error(`deformConv2d to [${shape}] with offsets [${offset.shape}] and a mask [${mask.shape}]`)
  }

  const channelsFirst = (map: Tensor) => transpose(map, [0, 3, 1, 2])
  const native = op(
    'DeformConv',
    [channelsFirst(x), channelsFirst(weight), channelsFirst(offset), bias, channelsFirst(mask)],
    [n, outChannels, outH, outW],
    { attributes: { kernel_shape: [kh, kw], strides: [stride, stride], pads: [pad, pad, pad, pad] } },
  )

  const { body, vjp } = (h * w <= matrixPlaces ? deformByMatrix : deformByGather)(
    { x, offset, mask, weight, bias },
    { stride, pad },
  )
  return composite(
    'deformConv2d',
    [x, offset, mask, weight, bias],
    transpose(native, [0, 2, 3, 1]),
    vjp,
    reshape(body, shape),
  )
}
