import { reduceSum } from './broadcast.js'
import type { ConvOptions } from './conv.js'
import type { DeformInputs, DeformWritten } from './deform-inputs.js'
import { add, cast, equal, mul, sub } from './elementwise.js'
import { gemm, matmul, swapLast } from './matmul.js'
import { reshape } from './reshape.js'
import { concat, split } from './shape.js'
import { constant, op, sizesOf, type Tensor } from './tensor.js'

/**
 * All taps at once: what they read is a product of their shares of every pixel with the pixels. Most shares are 0, but
 * of a small map products take less than moving single pixels.
 */
export function deformByMatrix(inputs: DeformInputs, { stride, pad }: Required<ConvOptions>): DeformWritten {
  const { x, offset, mask, weight, bias } = inputs
  const [n, h, w, inChannels] = sizesOf(x, 4)
  const [outChannels, , kw] = sizesOf(weight, 4)
  const [, outH, outW, taps] = sizesOf(mask, 4)
  const count = n * outH * outW
  const reads = outH * outW * taps
  const width = taps * inChannels
  const start = (axis: (read: number) => number) =>
    constant(
      Float32Array.from({ length: reads }, (_, read) => axis(read)),
      [1, reads, 1],
    )
  const place = (read: number) => Math.floor(read / taps)
  const top = start((read) => Math.floor(place(read) / outW) * stride + Math.floor((read % taps) / kw) - pad)
  const left = start((read) => (place(read) % outW) * stride + (read % kw) - pad)
  const [dy, dx] = split(reshape(offset, [n, reads, 2]), [1, 1], 2)
  const rows = axisShares(add(dy, top), h)
  const columns = axisShares(add(dx, left), w)
  const masks = reshape(mask, [n, reads, 1])
  const shares = mul(
    reshape(mul(rows.share, masks), [n, reads, h, 1]),
    reshape(columns.share, [n, reads, 1, w]),
  )
  const matrix = reshape(shares, [n, reads, h * w])
  const pixels = reshape(x, [n, h * w, inChannels])
  const unfolded = reshape(matmul(matrix, pixels), [count, width])
  const kernel = reshape(weight, [outChannels, width])

  const vjp = (gradient: Tensor): readonly Tensor[] => {
    const given = reshape(gradient, [count, outChannels])
    const dUnfolded = reshape(gemm(given, kernel), [n, reads, inChannels])
    const dMatrix = reshape(matmul(dUnfolded, swapLast(pixels)), [n * reads, h, w])
    // How the loss grows with the share, and the slope, along both axes.
    const both = ({ share, slope }: AxisShares, size: number) =>
      concat([reshape(share, [n * reads, 1, size]), reshape(slope, [n * reads, 1, size])], 1)
    const alongRows = matmul(dMatrix, swapLast(both(columns, w)))
    const [dMask, dRight, dDown] = split(
      reshape(matmul(both(rows, h), alongRows), [n * reads, 4]),
      [1, 1, 1, 1],
      1,
    )
    return [
      reshape(matmul(swapLast(matrix), dUnfolded), x.shape),
      reshape(mul(concat([dDown, dRight], 1), reshape(mask, [n * reads, 1])), offset.shape),
      reshape(dMask, mask.shape),
      reshape(gemm(given, unfolded, { transA: true }), weight.shape),
      reduceSum(given, [0]),
    ]
  }
  return { body: gemm(unfolded, kernel, { transB: true, bias }), vjp }
}

/** Of positions along an axis, [N, reads, size]: how much of each place is read, and how that grows with the position. */
interface AxisShares {
  readonly share: Tensor
  readonly slope: Tensor
}

/** @param position [N, reads, 1]; places outside of the map have no share */
function axisShares(position: Tensor, size: number): AxisShares {
  const first = op('Floor', [position], position.shape)
  const beyond = sub(position, first)
  const isAt = (shift: 0 | 1) => {
    const places = Float32Array.from({ length: size }, (_, place) => place - shift)
    return cast(equal(first, constant(places, [1, 1, size])), 'float32')
  }
  const [before, after] = [isAt(0), isAt(1)]
  return {
    share: add(mul(before, sub(1, beyond)), mul(after, beyond)),
    slope: sub(after, before),
  }
}
