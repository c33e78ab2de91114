/** Reductions over axes and their gradients. */

import { mul } from './elementwise.js'
import { expand, reshape } from './shape.js'
import { composite, int64, op, type Shape, scalar, sizeOf, type Tensor } from './tensor.js'

function reducedShape(shape: Shape, axes: readonly number[], keep: boolean): Shape {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]))
}

const allAxes = (x: Tensor): number[] => x.shape.map((_, axis) => axis)

function spread(gradient: Tensor, x: Tensor, axes: readonly number[]): Tensor {
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
 * Sum over all axes but the last: a product with a row of ones, which reads memory in order. ReduceSum takes twice the
 * time for it, and longer with two threads than with one.
 */
function sumRows(x: Tensor, shape: Shape): Tensor {
  const width = x.shape[x.shape.length - 1]
  const rows = sizeOf(x.shape) / width
  const ones = expand(scalar(1), [1, rows])
  return reshape(op('Gemm', [ones, reshape(x, [rows, width])], [1, width]), shape)
}

/** Mean over `axes` (all by default). */
export function reduceMean(x: Tensor, axes: readonly number[] = allAxes(x), keep = false): Tensor {
  const count = sizeOf(axes.map((axis) => x.shape[axis]))
  return op('ReduceMean', [x, int64(axes)], reducedShape(x.shape, axes, keep), {
    attributes: { keepdims: keep ? 1 : 0 },
    vjp: (gradient) => [spread(mul(gradient, 1 / count), x, axes)],
  })
}

/** log(sum(exp(x))) over one axis, stable for large x. */
export function logSumExp(x: Tensor, axis: number, keep = false): Tensor {
  return op('ReduceLogSumExp', [x, int64([axis])], reducedShape(x.shape, [axis], keep), {
    attributes: { keepdims: keep ? 1 : 0 },
    // softmax(x) is the derivative; the operator is used as it is because it is stable by itself.
    vjp: (gradient) => [
      mul(spread(gradient, x, [axis]), op('Softmax', [x], x.shape, { attributes: { axis } })),
    ],
  })
}
