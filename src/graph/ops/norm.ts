/** Normalisations and their gradients. */
import { node, type Tensor } from '../tensor.js'
import { div, maximum, mul, sqrt, square, sub } from './elementwise.js'
import { matmul } from './matmul.js'
import { reduceSum } from './reduce.js'
import { reshape } from './shape.js'

/**
 * Layer normalisation over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + bias.
 *
 * @param x [..., C]
 * @param scale [C]
 * @param bias [C]
 */
export function layerNorm(x: Tensor, scale: Tensor, bias: Tensor, epsilon: number): Tensor {
  const last = x.shape.length - 1
  const width = x.shape[last]
  const lead = x.shape.slice(0, -1).map((_, axis) => axis)
  const stats = [...x.shape.slice(0, -1), 1]
  const [y] = node('LayerNormalization', {
    inputs: [x, scale, bias],
    attributes: { axis: last, epsilon: { float: epsilon } },
    outputs: [{ shape: x.shape }, { shape: stats }, { shape: stats }],
    vjp: ([, mean, inverseStd]) => {
      return ([gradient]) => {
        if (!gradient) return []
        const normal = mul(sub(x, mean), inverseStd)
        const aligned = mul(gradient, normal)
        // A mean of what is scaled by channel is a product with the scale: one pass instead of two.
        const share = reshape(mul(scale, 1 / width), [width, 1])
        const dx = mul(
          inverseStd,
          sub(sub(mul(gradient, scale), matmul(gradient, share)), mul(normal, matmul(aligned, share))),
        )
        return [dx, reduceSum(aligned, lead), reduceSum(gradient, lead)]
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
