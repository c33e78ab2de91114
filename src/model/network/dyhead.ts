/** A block of DyHead (Dai et al. 2021), as the official GLIP code builds it. */
import { hardSigmoid, relu, sigmoid } from '../../graph/ops/activation.js'
import { deformConv2d } from '../../graph/ops/deform-conv.js'
import { add, maximum, mul, sub } from '../../graph/ops/elementwise.js'
import { linear } from '../../graph/ops/matmul.js'
import { groupNorm } from '../../graph/ops/norm.js'
import { reduceMean } from '../../graph/ops/reduce.js'
import { reshape } from '../../graph/ops/reshape.js'
import { resizeBilinear } from '../../graph/ops/resize.js'
import { slice, split, transpose } from '../../graph/ops/shape.js'
import { type Init, parameter, sizeAt, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import { channelsOf, convParameters, denseParameters, sameConv } from './layers.js'

const taps = 9
const small: Init = { kind: 'normal', std: 0.01 }
const uniform = (inputs: number): Init => ({ kind: 'uniform', bound: 1 / Math.sqrt(inputs) })

/**
 * Each level is the mean of up to three deformable convolutions, of itself, of the finer level at stride 2
 * and of the coarser level, resized, each weighted by its own attention (scale-aware), then a dynamic ReLU
 * (task-aware). Offsets and masks come from the level itself and serve all three (spatial-aware).
 *
 * @param levels maps [N, H, W, C], finest first, each ceil(H / 2) of the one before
 */
export function dyHeadBlock(name: string, levels: readonly Tensor[], groups: number): Tensor[] {
  const channels = channelsOf(levels)
  const moves = convParameters(`${name}.offset`, channels, 3 * taps, 3, uniform(channels * 9))
  const branch = (index: number) => deformableNorm(`${name}.DyConv.${index}`, channels, groups)
  const fromCoarser = branch(0)
  const fromOwn = branch(1)
  const fromFiner = branch(2)
  const attention = scaleAttention(`${name}.AttnConv.1`, channels)
  const activate = dynamicRelu(`${name}.relu`, channels)
  return levels.map((level, index) => {
    const [, h, w] = sizesOf(level, 4)
    const moved = sameConv(level, moves)
    const offset = slice(moved, 3, 0, 2 * taps)
    const mask = sigmoid(slice(moved, 3, 2 * taps, 3 * taps))
    const branches = [fromOwn(level, offset, mask, 1)]
    const finer = levels[index - 1]
    const coarser = levels[index + 1]
    if (finer) branches.push(fromFiner(finer, offset, mask, 2))
    if (coarser) {
      const map = fromCoarser(coarser, flatPrefix(offset, coarser), flatPrefix(mask, coarser), 1)
      branches.push(resizeBilinear(map, h, w))
    }
    const sum = branches.map((branch) => mul(branch, attention(branch))).reduce((a, b) => add(a, b))
    return activate(mul(sum, 1 / branches.length))
  })
}

/**
 * What the official kernel reads where it is given offsets of a larger map than it writes: it takes the start
 * of the buffer, channels first, as if it had the smaller size. The released weights are trained with this,
 * so it stays.
 *
 * @param x [N, H, W, K]
 * @param like [N, H', W', C], no larger
 * @returns [N, H', W', K]
 */
export function flatPrefix(x: Tensor, like: Tensor): Tensor {
  const [n, h, w, k] = sizesOf(x, 4)
  const [, rows, columns] = sizesOf(like, 4)
  const buffer = reshape(transpose(x, [0, 3, 1, 2]), [n, k * h * w])
  const start = slice(buffer, 1, 0, k * rows * columns)
  return transpose(reshape(start, [n, k, rows, columns]), [0, 2, 3, 1])
}

/** A modulated deformable 3x3 convolution and a group norm, with one set of parameters for all levels. */
function deformableNorm(name: string, channels: number, groups: number) {
  const { weight, bias } = convParameters(`${name}.conv`, channels, channels, 3, uniform(channels * 9))
  const scale = parameter(`${name}.bn.weight`, [channels], { kind: 'constant', value: 1 })
  const shift = parameter(`${name}.bn.bias`, [channels], { kind: 'constant', value: 0 })
  return (x: Tensor, offset: Tensor, mask: Tensor, stride: number): Tensor =>
    groupNorm(deformConv2d(x, offset, mask, weight, bias, { stride, pad: 1 }), scale, shift, groups, 1e-5)
}

/** One number for a whole map [N, H, W, C]: [N, 1, 1, 1]. */
function scaleAttention(name: string, channels: number) {
  const conv = convParameters(name, channels, 1, 1, small)
  return (x: Tensor): Tensor => hardSigmoid(relu(sameConv(reduceMean(x, [1, 2], true), conv)))
}

/**
 * Dynamic ReLU (Chen et al. 2020), variant B: max(a1 x + b1, a2 x + b2) with slopes and intercepts of each
 * channel from the map's mean; they start near a1 = 1 and the others 0.
 */
function dynamicRelu(name: string, channels: number) {
  const squeezed = channels / 4
  const inner = denseParameters(`${name}.fc.0`, channels, squeezed, uniform(channels))
  const outer = denseParameters(`${name}.fc.2`, squeezed, 4 * channels, uniform(squeezed))
  return (x: Tensor): Tensor => {
    const n = sizeAt(x, 0)
    const hidden = relu(linear(reduceMean(x, [1, 2]), inner.weight, inner.bias))
    const theta = hardSigmoid(linear(hidden, outer.weight, outer.bias))
    const around = reshape(sub(theta, 0.5), [n, 1, 1, 4 * channels])
    const [a1, b1, a2, b2] = split(around, [channels, channels, channels, channels], 3)
    return maximum(add(mul(x, add(mul(a1, 2), 1)), b1), add(mul(x, mul(a2, 2)), b2))
  }
}
