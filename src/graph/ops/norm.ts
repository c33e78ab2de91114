/** Normalisations and their gradients. */

import { expand, reduceSum } from './broadcast.js'
import { add, div, maximum, mul, sqrt, square, sub } from './elementwise.js'
import { matmul } from './matmul.js'
import { reduceMean } from './reduce.js'
import { reshape } from './reshape.js'
import { composite, node, sizeAt, sizesOf, type Tensor } from './tensor.js'

/**
 * Layer normalisation over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + bias.
 *
 * @param x [..., C]
 * @param scale [C]
 * @param bias [C]
 */
export function layerNorm(x: Tensor, scale: Tensor, bias: Tensor, epsilon: number): Tensor {
  const last = x.shape.length - 1
  const width = sizeAt(x, last)
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

/**
 * Group normalisation (Wu and He 2018) of a map with channels last: mean and variance run over all places and
 * over the channels of a group.
 *
 * @param x [N, H, W, C]
 * @param scale [C]
 * @param bias [C]
 */
export function groupNorm(x: Tensor, scale: Tensor, bias: Tensor, groups: number, epsilon: number): Tensor {
  const [n, h, w, channels] = sizesOf(x, 4)
  const rows = reshape(x, [n, h * w, channels])
  /** Mean over a group for each of its channels: [N, P, C] to [N, 1, C]. */
  const groupMean = (values: Tensor): Tensor => {
    const byChannel = reshape(reduceMean(values, [1]), [n, groups, channels / groups])
    const mean = reduceMean(byChannel, [2], true)
    return reshape(expand(mean, byChannel.shape), [n, 1, channels])
  }
  const centred = sub(rows, groupMean(rows))
  const inverseStd = div(1, sqrt(add(groupMean(square(centred)), epsilon)))
  const body = reshape(add(mul(centred, mul(inverseStd, scale)), bias), x.shape)

  return composite('groupNorm', [x, scale, bias], body, (gradient) => {
    const given = reshape(gradient, rows.shape)
    const normal = mul(centred, inverseStd)
    const scaled = mul(given, scale)
    const dx = mul(
      inverseStd,
      sub(sub(scaled, groupMean(scaled)), mul(normal, groupMean(mul(scaled, normal)))),
    )
    return [reshape(dx, x.shape), reduceSum(mul(given, normal), [0, 1]), reduceSum(given, [0, 1])]
  })
}

/** x / max(|x|, epsilon) over the last axis, as torch.nn.functional.normalize. */
export function l2Normalize(x: Tensor, epsilon = 1e-12): Tensor {
  const squares = reduceSum(square(x), [x.shape.length - 1], true)
  // The limit comes before the root: the root of 0, which padding has, would have an infinite gradient.
  return div(x, sqrt(maximum(squares, epsilon ** 2)))
}
