/** Normalisations and their gradients. */
import { constant, node, type Tensor } from '../tensor.js'
import { add, div, maximum, mul, sqrt, square, sub } from './elementwise.js'
import { reduceMean, reduceSum } from './reduce.js'
import { reshape } from './shape.js'

/**
 * Layer normalisation over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + bias.
 *
 * @param x [..., C]
 * @param scale [C]
 * @param bias [C]
 */
export function layerNorm(x: Tensor, scale: Tensor, bias: Tensor | undefined, epsilon: number): Tensor {
  const last = x.shape.length - 1
  const stats = [...x.shape.slice(0, -1), 1]
  const lead = x.shape.slice(0, -1).map((_, axis) => axis)
  const [y] = node('LayerNormalization', {
    inputs: bias ? [x, scale, bias] : [x, scale],
    attributes: { axis: last, epsilon: { float: epsilon } },
    outputs: [{ shape: x.shape }, { shape: stats }, { shape: stats }],
    vjp: ([, mean, inverseStd]) => {
      return ([gradient]) => {
        if (!gradient) return []
        const normal = mul(sub(x, mean), inverseStd)
        const scaled = scale.source.kind === 'constant' ? gradient : mul(gradient, scale)
        const dx = mul(
          inverseStd,
          sub(
            sub(scaled, reduceMean(scaled, [last], true)),
            mul(normal, reduceMean(mul(scaled, normal), [last], true)),
          ),
        )
        return [dx, reduceSum(mul(gradient, normal), lead), bias && reduceSum(gradient, lead)]
      }
    },
  })
  return y
}

/**
 * Group normalisation of [N, C, H, W] (Wu and He 2018): each picture's channels in `groups`, normalised over the
 * group's channels and places, then scaled and shifted by channel.
 */
export function groupNorm(x: Tensor, groups: number, scale: Tensor, bias: Tensor, epsilon: number): Tensor {
  const [n, c, h, w] = x.shape
  const inGroup = (c / groups) * h * w
  const ones = constant(new Float32Array(inGroup).fill(1))
  const normal = reshape(layerNorm(reshape(x, [n, groups, inGroup]), ones, undefined, epsilon), x.shape)
  return add(mul(normal, reshape(scale, [1, c, 1, 1])), reshape(bias, [1, c, 1, 1]))
}

/** x / max(|x|, epsilon) over the last axis, as torch.nn.functional.normalize. */
export function l2Normalize(x: Tensor, epsilon = 1e-12): Tensor {
  const length = sqrt(reduceSum(square(x), [x.shape.length - 1], true))
  return div(x, maximum(length, epsilon))
}
