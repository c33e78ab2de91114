import { add, div, minimum, mul, sqrt, square, sub } from '../graph/ops/elementwise.js'
import { reduceSum } from '../graph/ops/reduce.js'
import { concat, reshape, slice } from '../graph/ops/shape.js'
import { input, int64, op, sizeOf, type Tensor } from '../graph/tensor.js'
import { isLarge, type ParameterGroup, pieceName, pieceOf, type StateKind } from './parameter-groups.js'

export interface AdamWConfig {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weight_decay: number
  /** Largest L2 norm of the gradient of all parameters together. */
  readonly clip_norm: number
  /** Share of the old average that the exponential moving average keeps at each step. */
  readonly ema: number
}

/** The scalar inputs of a step, in the order of the vector `rates`. */
export const rateNames = ['learning_rate', 'correction1', 'correction2'] as const

/**
 * AdamW (Loshchilov and Hutter 2019) with the gradient's norm clipped, as graph.
 *
 * With c1 = 1 - beta1^t and c2 = 1 - beta2^t, value' = value (1 - rate decay) - rate sqrt(c2) / c1 *
 * moment1' / (sqrt(moment2') + epsilon sqrt(c2)), which is PyTorch's formula with the corrections moved to scalars.
 *
 * Every new piece of a vector may be written over the old one: it depends on the gradient's norm, and so on all that
 * reads parameters.
 *
 * @param rates [3], see `rateNames`
 * @returns the new pieces of the vectors, named as the inputs with `next.` before them, and the gradient's norm before clipping
 */
export function adamW(
  groups: readonly ParameterGroup[],
  gradients: ReadonlyMap<string, Tensor>,
  rates: Tensor,
  config: AdamWConfig,
): { readonly next: Record<string, Tensor>; readonly gradientNorm: Tensor } {
  const rate = slice(rates, 0, 0, 1)
  const correction1 = slice(rates, 0, 1, 2)
  const root2 = sqrt(slice(rates, 0, 2, 3))
  const gradientNorm = sqrt(
    reduceSum(
      concat(
        groups.flatMap((group) => squaresOf(group, gradients)),
        0,
      ),
      [0],
      true,
    ),
  )
  const scale = minimum(div(config.clip_norm, add(gradientNorm, 1e-6)), 1)

  // The clipping factor is folded into scalars: each pass over the vectors costs as much as the arithmetic.
  const share1 = mul(scale, 1 - config.beta1)
  const share2 = mul(square(scale), 1 - config.beta2)
  const smallest = mul(root2, config.epsilon)
  const stride = div(mul(rate, root2), correction1)
  const shrink = sub(1, mul(rate, config.weight_decay))
  const next: Record<string, Tensor> = {}
  for (const group of groups) {
    for (const piece of group.pieces) {
      const gradient = pieceOf(gradients, piece)
      const old = (kind: StateKind) => input(pieceName(kind, group, piece), [piece.size])
      const moment1 = add(mul(old('moment1'), config.beta1), mul(gradient, share1))
      const moment2 = add(mul(old('moment2'), config.beta2), mul(square(gradient), share2))
      const direction = div(moment1, add(sqrt(moment2), smallest))
      const kept = group.decay ? mul(old('value'), shrink) : old('value')
      const value = sub(kept, mul(direction, stride))
      const average = add(mul(old('average'), config.ema), mul(value, 1 - config.ema))
      for (const [kind, tensor] of Object.entries({ value, moment1, moment2, average }))
        next[`next.${pieceName(kind as StateKind, group, piece)}`] = tensor
    }
  }
  return { next, gradientNorm }
}

/** Sums of squares that make up a group's gradient, [1] each; of a large parameter at once, since it is not cut yet. */
function squaresOf({ pieces }: ParameterGroup, gradients: ReadonlyMap<string, Tensor>): Tensor[] {
  const counted = new Set<string>()
  return pieces.flatMap((piece) => {
    const [slot] = piece.slots
    if (!isLarge(slot)) return [sumOfSquares(pieceOf(gradients, piece))]
    if (counted.has(slot.name)) return []
    counted.add(slot.name)
    return [sumOfSquares(gradients.get(slot.name) as Tensor)]
  })
}

/** [1]; row by row first, which onnxruntime shares out among threads. */
function sumOfSquares(x: Tensor): Tensor {
  const width = x.shape[x.shape.length - 1]
  const rows = reshape(x, [sizeOf(x.shape) / width, width])
  const sums = op('ReduceSumSquare', [rows, int64([1])], [rows.shape[0]], { attributes: { keepdims: 0 } })
  return reduceSum(sums, [0], true)
}
