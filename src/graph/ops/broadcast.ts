/**
 * Broadcasting and summing over what was broadcast. Each is the other's gradient, so they stand in one file;
 * everything else that broadcasts or sums builds on these.
 */

import { reshape } from './reshape.js'
import { composite, constant, int64, op, type Shape, scalar, sizeAt, sizeOf, type Tensor } from './tensor.js'

/** Broadcasts to a larger shape. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (x.shape.join() === shape.join()) return x
  return op('Expand', [x, int64(shape)], shape, {
    dtype: x.dtype,
    vjp: (gradient) => [unbroadcast(gradient, x.shape)],
  })
}

/** A float32 tensor of zeros. */
export function zeros(shape: Shape): Tensor {
  return expand(constant([0], []), shape)
}

/** Shape of `a op b` under NumPy broadcasting. */
export function broadcastShape(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1
    const right = b[axis - rank + b.length] ?? 1
    if (left !== right && left !== 1 && right !== 1) {
      throw new Error(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`)
    }
    return left === 1 ? right : left
  })
}

/** Sums a gradient over the axes along which its value was broadcast. */
export function unbroadcast(gradient: Tensor, shape: Shape): Tensor {
  const lead = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
  )
  return axes.length === 0 ? gradient : reshape(reduceSum(gradient, axes), shape)
}

/** The shape after a reduction over `axes`, with sizes of 1 in their place where they are kept. */
export function reducedShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]))
}

/** The axes of a tensor, 0 to its rank - 1. */
export const allAxes = (x: Tensor): number[] => x.shape.map((_, axis) => axis)

/** The gradient of a sum over `axes`: each element of `x` gets that of its sum. */
export function spread(gradient: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return expand(reshape(gradient, reducedShape(x.shape, axes, true)), x.shape)
}

/** Sum over `axes` (all by default). */
export function reduceSum(x: Tensor, axes: readonly number[] = allAxes(x), keep = false): Tensor {
  const shape = reducedShape(x.shape, axes, keep)
  const leading =
    axes.length > 0 && axes.length === x.shape.length - 1 && axes.every((axis, at) => axis === at)
  if (leading) return composite('sumRows', [x], sumRows(x, shape), (gradient) => [spread(gradient, x, axes)])
  return op('ReduceSum', [x, int64(axes)], shape, {
    attributes: { keepdims: keep ? 1 : 0 },
    vjp: (gradient) => [spread(gradient, x, axes)],
  })
}

/**
 * Sum over all axes but the last: a product with a row of ones, which reads memory in order. ReduceSum takes
 * twice the time for it, and longer with two threads than with one.
 */
function sumRows(x: Tensor, shape: Shape): Tensor {
  const width = sizeAt(x, -1)
  const rows = sizeOf(x.shape) / width
  const ones = expand(scalar(1), [1, rows])
  return reshape(op('Gemm', [ones, reshape(x, [rows, width])], [1, width]), shape)
}
