/** Small layers with their parameters, named as PyTorch names them. */
import { conv2d } from '../../graph/ops/conv.js'
import { linear } from '../../graph/ops/matmul.js'
import { layerNorm } from '../../graph/ops/norm.js'
import { reshape } from '../../graph/ops/reshape.js'
import { concat, split, transpose } from '../../graph/ops/shape.js'
import { type Init, parameter, sizeAt, sizesOf, type Tensor, type Tensors } from '../../graph/ops/tensor.js'

const zero: Init = { kind: 'constant', value: 0 }
const one: Init = { kind: 'constant', value: 1 }

/** Xavier (Glorot and Bengio 2010) uniform bound for a linear map. */
export function xavier(fanIn: number, fanOut: number): Init {
  return { kind: 'uniform', bound: Math.sqrt(6 / (fanIn + fanOut)) }
}

/** Parameters `name.weight` [outputs, inputs] and `name.bias` of a linear map, to be applied once or more. */
export function denseParameters(name: string, inputs: number, outputs: number, init: Init) {
  return {
    weight: parameter(`${name}.weight`, [outputs, inputs], init),
    bias: parameter(`${name}.bias`, [outputs], zero),
  }
}

/** x W^T + b over the last axis, with `denseParameters`. */
export function dense(
  name: string,
  x: Tensor,
  outputs: number,
  init: Init = xavier(sizeAt(x, -1), outputs),
): Tensor {
  const { weight, bias } = denseParameters(name, sizeAt(x, -1), outputs, init)
  return linear(x, weight, bias)
}

/**
 * Several dense maps of the same rows, each cut into heads: as one product, since three small ones cost more than one
 * large; but each by itself where rows are few beside the weights, a copy of which side by side would be kept from the
 * forward pass to the gradient.
 *
 * @param names of the maps, each with parameters `name.weight` [width, inputs] and `name.bias`
 * @param x [N, L, inputs]
 * @returns for each map [N, heads, L, width / heads]
 */
export function headProjections<const Names extends readonly string[]>(
  names: Names,
  x: Tensor,
  { width, heads, init }: { readonly width: number; readonly heads: number; readonly init?: Init },
): Tensors<Names> {
  const [n, length, inputs] = sizesOf(x, 3)
  const maps = names.map((name) => denseParameters(name, inputs, width, init ?? xavier(inputs, width)))
  const head = [heads, width / heads] as const
  if (n * length < inputs) {
    const byHead = maps.map(({ weight, bias }) =>
      transpose(reshape(linear(x, weight, bias), [n, length, ...head]), [0, 2, 1, 3]),
    )
    return byHead as readonly Tensor[] as Tensors<Names>
  }
  const weight = concat(
    maps.map((map) => map.weight),
    0,
  )
  const bias = concat(
    maps.map((map) => map.bias),
    0,
  )
  const rows = reshape(linear(x, weight, bias), [n, length, names.length, ...head])
  const parts = split(
    transpose(rows, [2, 0, 3, 1, 4]),
    names.map(() => 1),
    0,
  )
  const byHead = parts.map((part) => reshape(part, [n, heads, length, width / heads]))
  return byHead as readonly Tensor[] as Tensors<Names>
}

/** Parameters `name.weight` and `name.bias`, over the last axis. */
export function norm(name: string, x: Tensor, epsilon: number): Tensor {
  const width = sizeAt(x, -1)
  return layerNorm(
    x,
    parameter(`${name}.weight`, [width], one),
    parameter(`${name}.bias`, [width], zero),
    epsilon,
  )
}

export interface ConvParameters {
  readonly weight: Tensor
  readonly bias: Tensor
  readonly kernel: number
}

/**
 * Parameters `name.weight` [O, k, k, I] and `name.bias` of a convolution, to be applied once or at many
 * levels.
 */
export function convParameters(
  name: string,
  inputs: number,
  outputs: number,
  kernel: number,
  init: Init = { kind: 'normal', std: Math.sqrt(2 / (inputs * kernel * kernel)) },
  bias = 0,
): ConvParameters {
  return {
    weight: parameter(`${name}.weight`, [outputs, kernel, kernel, inputs], init),
    bias: parameter(`${name}.bias`, [outputs], { kind: 'constant', value: bias }),
    kernel,
  }
}

/** A convolution that keeps the size: [N, H, W, I] to [N, H, W, O]. */
export function sameConv(x: Tensor, conv: ConvParameters): Tensor {
  return stridedConv(x, conv, 1)
}

/** A convolution that keeps one place of each `stride`: [N, H, W, I] to [N, ceil(H / stride), …, O]. */
export function stridedConv(x: Tensor, { weight, bias, kernel }: ConvParameters, stride: number): Tensor {
  return conv2d(x, weight, bias, { stride, pad: (kernel - 1) / 2 })
}

/**
 * Channels of maps [N, H, W, C] that all have the same.
 *
 * @throws Error where there are no maps
 */
export function channelsOf([level]: readonly Tensor[]): number {
  if (!level) throw new Error('a pyramid has one level at least')
  return sizeAt(level, 3)
}
