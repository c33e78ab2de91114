/** Two-dimensional convolution and its gradients. */
import { op, type Tensor } from '../tensor.js'
import { gemm } from './matmul.js'
import { reduceSum } from './reduce.js'
import { concat, padImage, reshape, slice, transpose } from './shape.js'

export interface ConvOptions {
  readonly stride?: number
  /** Zeros on each side. */
  readonly pad?: number
}

/**
 * Cross-correlation as torch.nn.functional.conv2d.
 *
 * @param x [N, I, H, W]
 * @param weight [O, I, kH, kW]
 * @param bias [O]
 * @returns [N, O, floor((H + 2 pad - kH) / stride) + 1, floor((W + 2 pad - kW) / stride) + 1]
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { stride = 1, pad = 0 }: ConvOptions = {},
): Tensor {
  const [n, channels, h, w] = x.shape
  const [outChannels, inChannels, kh, kw] = weight.shape
  if (channels !== inChannels)
    throw new Error(`conv2d of [${x.shape.join(', ')}] by [${weight.shape.join(', ')}]`)
  const outH = Math.floor((h + 2 * pad - kh) / stride) + 1
  const outW = Math.floor((w + 2 * pad - kw) / stride) + 1
  return op('Conv', bias ? [x, weight, bias] : [x, weight], [n, outChannels, outH, outW], {
    attributes: { kernel_shape: [kh, kw], strides: [stride, stride], pads: [pad, pad, pad, pad] },
    vjp: (gradient) => [
      convInputGradient(gradient, x, weight, stride, pad),
      convWeightGradient(gradient, x, weight, stride, pad),
      bias && reduceSum(gradient, [0, 2, 3]),
    ],
  })
}

/**
 * At stride 1 the gradient of the input is a convolution with the kernel turned by 180 degrees and its channel
 * axes swapped, which onnxruntime runs faster than ConvTranspose; other strides take ConvTranspose.
 */
function convInputGradient(gradient: Tensor, x: Tensor, weight: Tensor, stride: number, pad: number): Tensor {
  const [, , kh, kw] = weight.shape
  const [, , h, w] = x.shape
  const [, , outH, outW] = gradient.shape
  if (stride === 1 && kh === kw && pad < kh) {
    return conv2d(gradient, transpose(reverse(reverse(weight, 2), 3), [1, 0, 2, 3]), undefined, {
      pad: kh - 1 - pad,
    })
  }
  const missingH = h - ((outH - 1) * stride + kh - 2 * pad)
  const missingW = w - ((outW - 1) * stride + kw - 2 * pad)
  return op('ConvTranspose', [gradient, weight], x.shape, {
    attributes: {
      kernel_shape: [kh, kw],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      output_padding: [missingH, missingW],
    },
  })
}

/**
 * The gradient of the weight, one matrix product: gradient [O, N h w] times the unfolded input [N h w, I kH kW].
 * onnxruntime's own Conv with batch and channels swapped is three times slower, since its kernel is then as large
 * as the picture.
 */
function convWeightGradient(
  gradient: Tensor,
  x: Tensor,
  weight: Tensor,
  stride: number,
  pad: number,
): Tensor {
  const [outChannels, inChannels, kh, kw] = weight.shape
  const [n, , outH, outW] = gradient.shape
  const places = n * outH * outW
  const rows = reshape(transpose(gradient, [0, 2, 3, 1]), [places, outChannels])
  const padded = padImage(x, pad, pad, pad, pad)
  const last = transpose(padded, [0, 2, 3, 1])
  const taps: Tensor[] = []
  for (let row = 0; row < kh; row++) {
    for (let column = 0; column < kw; column++) {
      const down = slice(last, 1, row, row + (outH - 1) * stride + 1, stride)
      taps.push(slice(down, 2, column, column + (outW - 1) * stride + 1, stride))
    }
  }
  const unfolded = reshape(concat(taps, 3), [places, kh * kw * inChannels])
  const product = gemm(rows, unfolded, { transA: true })
  return transpose(reshape(product, [outChannels, kh, kw, inChannels]), [0, 3, 1, 2])
}

/** The elements of one axis in reverse order. */
function reverse(x: Tensor, axis: number): Tensor {
  if (x.shape[axis] === 1) return x
  const size = x.shape[axis]
  return concat(
    Array.from({ length: size }, (_, index) => slice(x, axis, size - 1 - index, size - index)),
    axis,
  )
}
