/** Activations and their gradients. */

import { reduceSum } from './broadcast.js'
import { abs, add, cast, div, exp, greater, less, log, mul, sub } from './elementwise.js'
import { logSumExp } from './reduce.js'
import { composite, op, type Tensor } from './tensor.js'

export const relu = (x: Tensor): Tensor =>
  op('Relu', [x], x.shape, {
    // The output says where the input was above 0 and is already at hand; Sign would do, at twice the time.
    vjp: (gradient, output) => [mul(gradient, cast(greater(output, 0), 'float32'))],
  })

export const sigmoid = (x: Tensor): Tensor =>
  op('Sigmoid', [x], x.shape, { vjp: (gradient, y) => [mul(gradient, mul(y, sub(1, y)))] })

/** relu6(x + 3) / 6: 0 below -3, 1 above 3, a line between (MobileNetV3, Howard et al. 2019). */
export const hardSigmoid = (x: Tensor): Tensor =>
  op('HardSigmoid', [x], x.shape, {
    attributes: { alpha: { float: 1 / 6 }, beta: { float: 0.5 } },
    vjp: (gradient, y) => [
      mul(gradient, mul(mul(cast(greater(y, 0), 'float32'), cast(less(y, 1), 'float32')), 1 / 6)),
    ],
  })

export const tanh = (x: Tensor): Tensor =>
  op('Tanh', [x], x.shape, { vjp: (gradient, y) => [mul(gradient, sub(1, mul(y, y)))] })

/**
 * log(1 + exp(x)), stable at both ends: max(x, 0) - log(sigmoid(|x|)), which onnxruntime computes several
 * numbers at a time where its Softplus takes them one by one.
 */
export const softplus = (x: Tensor): Tensor =>
  composite('softplus', [x], sub(relu(x), log(sigmoid(abs(x)))), (gradient) => [mul(gradient, sigmoid(x))])

/** Exact (erf) Gaussian error linear unit, as BERT and Swin use it: x * Phi(x). */
export const gelu = (x: Tensor): Tensor =>
  op('Gelu', [x], x.shape, {
    vjp: (gradient) => {
      const phi = mul(add(op('Erf', [div(x, Math.SQRT2)], x.shape), 1), 0.5)
      const density = mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
      return [mul(gradient, add(phi, mul(x, density)))]
    },
  })

/** Softmax over one axis (the last by default). */
export function softmax(x: Tensor, axis = x.shape.length - 1): Tensor {
  return op('Softmax', [x], x.shape, {
    attributes: { axis },
    vjp: (gradient, y) => [mul(y, sub(gradient, reduceSum(mul(gradient, y), [axis], true)))],
  })
}

/** Logarithm of the softmax over one axis (the last by default). WebGPU lacks LogSoftmax, the fastest on the CPU. */
export function logSoftmax(x: Tensor, axis = x.shape.length - 1): Tensor {
  const y: Tensor = composite(
    'logSoftmax',
    [x],
    op('LogSoftmax', [x], x.shape, { attributes: { axis } }),
    (gradient) => [sub(gradient, mul(exp(y), reduceSum(gradient, [axis], true)))],
    sub(x, logSumExp(x, axis, true)),
  )
  return y
}
