import { expand, reduceSum, zeros } from './broadcast.js'
import type { ConvOptions } from './conv.js'
import type { DeformInputs, DeformWritten } from './deform-inputs.js'
import { add, cast, clip, greater, less, mul, neg, sub } from './elementwise.js'
import { gemm, matmul } from './matmul.js'
import { reshape } from './reshape.js'
import { concat, scatterAdd, split, transpose } from './shape.js'
import { constant, op, type Shape, sizesOf, type Tensor } from './tensor.js'

/** Gathers the four pixels around each point, tap by tap: all taps at once would need 36 copies of a large map. */
export function deformByGather(inputs: DeformInputs, { stride, pad }: Required<ConvOptions>): DeformWritten {
  const { x, offset, mask, weight, bias } = inputs
  const [n, h, w, inChannels] = sizesOf(x, 4)
  const [outChannels, , kw] = sizesOf(weight, 4)
  const [, outH, outW, taps] = sizesOf(mask, 4)
  const points = samplePoints(offset, mask, { h, w, kw, stride, pad })
  const pixels = reshape(x, [n * h * w, inChannels])
  const count = n * outH * outW
  const each = (tensor: Tensor, rest: Shape) =>
    split(
      tensor,
      Array.from({ length: taps }, () => 1),
      0,
    ).map((part) => reshape(part, rest))
  const indices = each(points.indices, [count, 4])
  const shares = each(mul(points.shares, points.mask), [count, 1, 4])
  const matrices = each(transpose(reshape(weight, [outChannels, taps, inChannels]), [1, 0, 2]), [
    outChannels,
    inChannels,
  ])
  const cornersOf = (tap: number) =>
    op('Gather', [pixels, indices[tap]], [count, 4, inChannels], { attributes: { axis: 0 } })
  const columnOf = (tap: number) => reshape(matmul(shares[tap]!, cornersOf(tap)), [count, inChannels])
  const gathered = matrices
    .map((matrix, tap) => gemm(columnOf(tap), matrix, { transB: true, bias: tap === 0 ? bias : undefined }))
    .reduce((sum, part) => add(sum, part))

  const vjp = (gradient: Tensor): readonly Tensor[] => {
    const rows = reshape(gradient, [count, outChannels])
    // Channels first, in which scattering is fastest.
    let dPixels = zeros([inChannels, n * h * w])
    const cornersFirst = (tensor: Tensor) => each(transpose(tensor, [0, 2, 1]), [1, 4, count])
    const cornerShares = cornersFirst(mul(points.shares, points.mask))
    const cornerIndices = cornersFirst(points.indices)
    const dShares: Tensor[] = []
    const dMatrices: Tensor[] = []
    matrices.forEach((matrix, tap) => {
      const dColumn = gemm(rows, matrix)
      dMatrices.push(reshape(gemm(rows, columnOf(tap), { transA: true }), [outChannels, 1, inChannels]))
      // How much each corner's share times the mask would change the loss.
      const dShare = matmul(cornersOf(tap), reshape(dColumn, [count, inChannels, 1]))
      dShares.push(reshape(dShare, [1, count, 4]))
      const updates = mul(reshape(transpose(dColumn, [1, 0]), [inChannels, 1, count]), cornerShares[tap]!)
      const at = expand(reshape(cornerIndices[tap]!, [1, 4 * count]), [inChannels, 4 * count])
      dPixels = scatterAdd(dPixels, at, reshape(updates, at.shape), 1)
    })
    const dShare = concat(dShares, 0)
    const moved = (slope: Tensor) => reduceSum(mul(dShare, mul(slope, points.mask)), [2], true)
    const dOffset = transpose(concat([moved(points.byRow), moved(points.byColumn)], 2), [1, 0, 2])
    const dMask = transpose(reduceSum(mul(dShare, points.shares), [2]), [1, 0])
    return [
      reshape(transpose(dPixels, [1, 0]), x.shape),
      reshape(dOffset, offset.shape),
      reshape(dMask, mask.shape),
      reshape(concat(dMatrices, 1), weight.shape),
      reduceSum(rows, [0]),
    ]
  }
  return { body: gathered, vjp }
}

interface SamplePoints {
  /** [taps, count, 4] int32 (WebGPU does not cut int64 into parts): the four pixels around each point, as rows of the whole batch's pixels. */
  readonly indices: Tensor
  /** [taps, count, 4]: their shares, 0 for a pixel outside of the map. */
  readonly shares: Tensor
  /** [taps, count, 1] */
  readonly mask: Tensor
  /** [taps, count, 4]: how the shares grow as the point moves down, and to the right. */
  readonly byRow: Tensor
  readonly byColumn: Tensor
}

/** Where each tap of each output place reads. */
function samplePoints(
  offset: Tensor,
  mask: Tensor,
  { h, w, kw, stride, pad }: Record<'h' | 'w' | 'kw' | 'stride' | 'pad', number>,
): SamplePoints {
  const [n, outH, outW, taps] = sizesOf(mask, 4)
  const count = n * outH * outW
  const [dy, dx] = split(transpose(reshape(offset, [count, taps, 2]), [2, 1, 0]), [1, 1], 0)
  const byPlace = (value: (place: number) => number) =>
    constant(
      Float32Array.from({ length: count }, (_, place) => value(place)),
      [1, count],
    )
  const byTap = (value: (tap: number) => number) =>
    constant(
      Float32Array.from({ length: taps }, (_, tap) => value(tap)),
      [taps, 1],
    )
  const startY = byPlace((place) => (Math.floor(place / outW) % outH) * stride - pad)
  const startX = byPlace((place) => (place % outW) * stride - pad)
  const y = add(
    add(
      reshape(dy, [taps, count]),
      byTap((tap) => Math.floor(tap / kw)),
    ),
    startY,
  )
  const x = add(
    add(
      reshape(dx, [taps, count]),
      byTap((tap) => tap % kw),
    ),
    startX,
  )
  const rows = neighbours(y, h)
  const columns = neighbours(x, w)
  const firstPixel = byPlace((place) => Math.floor(place / (outH * outW)) * h * w)
  const corners = (value: (row: 0 | 1, column: 0 | 1) => Tensor) =>
    concat(
      (
        [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ] as const
      ).map(([row, column]) => reshape(value(row, column), [taps, count, 1])),
      2,
    )
  const side = (at: 0 | 1, inside: Tensor) => (at === 0 ? neg(inside) : inside)
  return {
    indices: cast(
      corners((row, column) => add(add(mul(rows.at[row], w), columns.at[column]), firstPixel)),
      'int32',
    ),
    shares: corners((row, column) => mul(rows.share[row], columns.share[column])),
    mask: reshape(transpose(reshape(mask, [count, taps]), [1, 0]), [taps, count, 1]),
    byRow: corners((row, column) => mul(side(row, rows.inside[row]), columns.share[column])),
    byColumn: corners((row, column) => mul(rows.share[row], side(column, columns.inside[column]))),
  }
}

/** The whole places before and after positions along one axis of `size` places, and the share of each. */
function neighbours(position: Tensor, size: number) {
  const first = op('Floor', [position], position.shape)
  const beyond = sub(position, first)
  const inside = (place: Tensor) =>
    mul(cast(greater(place, -1), 'float32'), cast(less(place, size), 'float32'))
  const places = [first, add(first, 1)] as const
  const insides = [inside(places[0]), inside(places[1])] as const
  return {
    at: [clip(places[0], 0, size - 1), clip(places[1], 0, size - 1)] as const,
    inside: insides,
    share: [mul(sub(1, beyond), insides[0]), mul(beyond, insides[1])] as const,
  }
}
