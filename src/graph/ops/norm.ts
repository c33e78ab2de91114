/** Normalisations and their gradients. */
import { node, type Tensor } from '../tensor.js'
import { div, maximum, mul, sqrt, square, sub } from './elementwise.js'
import { reduceMean, reduceSum } from './reduce.js'

/**
 * Layer normalisation over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + bias.
 *
 * @param x [..., C]
 * @param scale [C]
 * @param bias [C]
 */
export function layerNorm(x: Tensor, scale: Tensor, bias: Tensor, epsilon: number): Tensor {
  const last = x.shape.length - 1
  const stats = [...x.shape.slice(0, -1), 1]
  const lead = x.shape.slice(0, -1).map((_, axis) => axis)
  const [y] = node('LayerNormalization', {
    inputs: [x, scale, bias],
    attributes: { axis: last, epsilon: { float: epsilon } },
    outputs: [{ shape: x.shape }, { shape: stats }, { shape: stats }],
    vjp: ([, mean, inverseStd]) => {
      return ([gradient]) => {
        if (!gradient) return []
        const normal = mul(sub(x, mean), inverseStd)
        const scaled = mul(gradient, scale)
        const dx = mul(
          inverseStd,
          sub(
            sub(scaled, reduceMean(scaled, [last], true)),
            mul(normal, reduceMean(mul(scaled, normal), [last], true)),
          ),
        )
        return [dx, reduceSum(mul(gradient, normal), lead), reduceSum(gradient, lead)]
      }
    },
  })
  return y
}

/** x / max(|x|, epsilon) over the last axis, as torch.nn.functional.normalize. */
export function l2Normalize(x: Tensor, epsilon = 1e-12): Tensor {
  const length = sqrt(reduceSum(square(x), [x.shape.length - 1], true))
  return div(x, maximum(length, epsilon))
}
