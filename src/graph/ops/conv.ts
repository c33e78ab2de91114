/** Two-dimensional convolution over pictures with channels last, and its gradients. */

import { reduceSum } from './broadcast.js'
import { gemm } from './matmul.js'
import { reshape } from './reshape.js'
import { concat, transpose } from './shape.js'
import { composite, constant, op, sizesOf, type Tensor } from './tensor.js'

export interface ConvOptions {
  readonly stride?: number
  /** Zeros on each side. */
  readonly pad?: number
}

/**
 * Cross-correlation as torch.nn.functional.conv2d, on pictures with channels last.
 *
 * Unfolded rows times a matrix: the rows are one Gather of pixels, which onnxruntime runs at memory speed,
 * and the product one Gemm over the whole batch. With weights that change at every step onnxruntime cannot
 * pack them for its own Conv, which then is slower, and up to six times at few places (`npm run bench:conv`);
 * and the same unfolded rows serve the gradient of the weight.
 *
 * @param x [N, H, W, I]
 * @param weight [O, kH, kW, I]: PyTorch's [O, I, kH, kW] with channels last, so that a row of it is a row of
 * taps
 * @param bias [O]
 * @returns [N, floor((H + 2 pad - kH) / stride) + 1, floor((W + 2 pad - kW) / stride) + 1, O]
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { stride = 1, pad = 0 }: ConvOptions = {},
): Tensor {
  const [n, h, w, channels] = sizesOf(x, 4)
  const [outChannels, kh, kw, inChannels] = sizesOf(weight, 4)
  if (channels !== inChannels)
    throw new Error(`conv2d of [${x.shape.join(', ')}] by [${weight.shape.join(', ')}]`)
  const outH = Math.floor((h + 2 * pad - kh) / stride) + 1
  const outW = Math.floor((w + 2 * pad - kw) / stride) + 1
  const taps = kh * kw

  // Output place (y, x) reads, at tap (r, c), the input pixel (y stride + r - pad, x stride + c - pad).
  const forward = pixelTable(outH, outW, kh, kw, h, w, (at, tap) => at * stride + tap - pad)
  const unfolded = reshape(unfold(x, forward), [n * outH * outW, taps * inChannels])
  const matrix = reshape(weight, [outChannels, taps * inChannels])
  const body = reshape(gemm(unfolded, matrix, { transB: true, bias }), [n, outH, outW, outChannels])

  return composite('conv2d', [x, weight, bias], body, (gradient) => {
    const rows = reshape(gradient, [n * outH * outW, outChannels])
    // Of many places onnxruntime is faster with the wider matrix first, though what comes out has to be turned.
    const byMatrix =
      n * outH * outW > outChannels
        ? transpose(gemm(unfolded, rows, { transA: true }), [1, 0])
        : gemm(rows, unfolded, { transA: true })
    // Input pixel (y, x) was read at tap (r, c) by the output place ((y + pad - r) / stride, …), where that
    // is whole.
    const backward = pixelTable(h, w, kh, kw, outH, outW, (at, tap) => (at + pad - tap) / stride)
    const folded = reshape(unfold(gradient, backward), [n * h * w, taps * outChannels])
    const turned = reshape(transpose(weight, [1, 2, 0, 3]), [taps * outChannels, inChannels])
    return [
      reshape(gemm(folded, turned), x.shape),
      reshape(byMatrix, weight.shape),
      bias && reduceSum(rows, [0]),
    ]
  })
}

/** Pixels of [N, H, W, C] by a table of places, the place H * W being zero: [N, table.length, C]. */
function unfold(x: Tensor, table: Int32Array): Tensor {
  const [n, h, w, c] = sizesOf(x, 4)
  const pixels = reshape(x, [n, h * w, c])
  const places = h * w
  // 1x1 convolutions at stride 1 read every pixel once, in order.
  if (table.length === places && table.every((place, index) => place === index)) return pixels
  const source = table.includes(places)
    ? concat([pixels, constant(new Float32Array(n * c), [n, 1, c])], 1)
    : pixels
  return op('Gather', [source, constant(table)], [n, table.length, c], { attributes: { axis: 1 } })
}

/**
 * For each of rows x columns places and each tap, the source pixel that `sourceAt` names, or H * W for none.
 */
function pixelTable(
  rows: number,
  columns: number,
  kh: number,
  kw: number,
  h: number,
  w: number,
  sourceAt: (at: number, tap: number) => number,
): Int32Array {
  const table = new Int32Array(rows * columns * kh * kw)
  let index = 0
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      for (let r = 0; r < kh; r++) {
        for (let c = 0; c < kw; c++) {
          const row = sourceAt(y, r)
          const column = sourceAt(x, c)
          const inside = row >= 0 && row < h && column >= 0 && column < w
          table[index++] =
            inside && Number.isInteger(row) && Number.isInteger(column) ? row * w + column : h * w
        }
      }
    }
  }
  return table
}
