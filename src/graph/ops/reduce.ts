/** Reductions over axes and their gradients. */

import { allAxes, reducedShape, spread } from './broadcast.js'
import { mul } from './elementwise.js'
import { int64, op, sizeAt, sizeOf, type Tensor } from './tensor.js'

/** Mean over `axes` (all by default). */
export function reduceMean(x: Tensor, axes: readonly number[] = allAxes(x), keep = false): Tensor {
  const count = sizeOf(axes.map((axis) => sizeAt(x, axis)))
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
