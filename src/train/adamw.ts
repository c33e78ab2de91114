import { add, div, minimum, mul, sqrt, square, sub } from '../graph/ops/elementwise.js'
import { reduceSum } from '../graph/ops/reduce.js'
import { concat, reshape, slice } from '../graph/ops/shape.js'
import { input, type Shape, sizeOf, type Tensor } from '../graph/tensor.js'

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

export interface ParameterSlot {
  readonly name: string
  readonly shape: Shape
  /** First element in its group's vector. */
  readonly offset: number
}

/** Parameters that share a learning rate and a decay lie in one flat vector. */
export interface ParameterGroup {
  readonly name: 'weights' | 'biases' | 'frozen'
  readonly size: number
  readonly slots: readonly ParameterSlot[]
  readonly decay: boolean
  /** What is not trained has neither moments nor an average. */
  readonly trained: boolean
}

/** Biases and scalars are not decayed, as in the official solver. Frozen parameters, where there are any, come last. */
export function groupParameters(
  parameters: readonly { readonly name: string; readonly shape: Shape; readonly frozen?: boolean }[],
): ParameterGroup[] {
  const groupOf = ({ name, frozen }: (typeof parameters)[number]): ParameterGroup['name'] =>
    frozen ? 'frozen' : name.endsWith('bias') ? 'biases' : 'weights'
  const group = (name: ParameterGroup['name']): ParameterGroup => {
    let size = 0
    const slots = parameters
      .filter((parameter) => groupOf(parameter) === name)
      .map(({ name: own, shape }) => {
        const slot = { name: own, shape, offset: size }
        size += sizeOf(shape)
        return slot
      })
    return { name, size, slots, decay: name === 'weights', trained: name !== 'frozen' }
  }
  const frozen = group('frozen')
  return [group('weights'), group('biases'), ...(frozen.size > 0 ? [frozen] : [])]
}

/** A slot's part of its group's vector, in its own shape. */
export function slotOf(vector: Tensor, { offset, shape }: ParameterSlot): Tensor {
  return reshape(slice(vector, 0, offset, offset + sizeOf(shape)), shape)
}

/** The scalar inputs of a step, in the order of the vector `rates`. */
export const rateNames = ['learning_rate', 'correction1', 'correction2'] as const

/**
 * The vectors that one step reads: parameters, first and second moments, and the moving average, by group.
 */
export function stateInputs(group: ParameterGroup): Record<StateKind, Tensor> {
  const vector = (kind: StateKind) => input(`${kind}.${group.name}`, [group.size])
  return {
    value: vector('value'),
    moment1: vector('moment1'),
    moment2: vector('moment2'),
    average: vector('average'),
  }
}

export type StateKind = 'value' | 'moment1' | 'moment2' | 'average'
export const stateKinds: readonly StateKind[] = ['value', 'moment1', 'moment2', 'average']

/**
 * AdamW (Loshchilov and Hutter 2019) with the gradient's norm clipped, as graph.
 *
 * With c1 = 1 - beta1^t and c2 = 1 - beta2^t, value' = value (1 - rate decay) - rate sqrt(c2) / c1 *
 * moment1' / (sqrt(moment2') + epsilon sqrt(c2)), which is PyTorch's formula with the corrections moved to scalars.
 *
 * @param rates [3], see `rateNames`
 * @returns the new vectors, named as the inputs with `next.` before them, and the gradient's norm before clipping
 */
export function adamW(
  groups: readonly ParameterGroup[],
  states: readonly Record<StateKind, Tensor>[],
  gradients: ReadonlyMap<string, Tensor>,
  rates: Tensor,
  config: AdamWConfig,
): { readonly next: Record<string, Tensor>; readonly gradientNorm: Tensor } {
  const rate = slice(rates, 0, 0, 1)
  const correction1 = slice(rates, 0, 1, 2)
  const root2 = sqrt(slice(rates, 0, 2, 3))
  const flat = groups.map(({ slots }) =>
    concat(
      slots.map(({ name, shape }) => reshape(gradients.get(name) as Tensor, [sizeOf(shape)])),
      0,
    ),
  )
  const gradientNorm = sqrt(
    flat.map((vector) => reduceSum(square(vector), [0], true)).reduce((a, b) => add(a, b)),
  )
  const scale = minimum(div(config.clip_norm, add(gradientNorm, 1e-6)), 1)

  const next: Record<string, Tensor> = {}
  groups.forEach((group, index) => {
    const state = states[index]
    // The clipping factor is folded into scalars: each pass over the vectors costs as much as the arithmetic.
    const moment1 = add(mul(state.moment1, config.beta1), mul(flat[index], mul(scale, 1 - config.beta1)))
    const moment2 = add(
      mul(state.moment2, config.beta2),
      mul(square(flat[index]), mul(square(scale), 1 - config.beta2)),
    )
    const direction = div(moment1, add(sqrt(moment2), mul(root2, config.epsilon)))
    const kept = group.decay ? mul(state.value, sub(1, mul(rate, config.weight_decay))) : state.value
    const value = sub(kept, mul(direction, div(mul(rate, root2), correction1)))
    const average = add(mul(state.average, config.ema), mul(value, 1 - config.ema))
    for (const [kind, tensor] of Object.entries({ value, moment1, moment2, average })) {
      next[`next.${kind}.${group.name}`] = tensor
    }
  })
  return { next, gradientNorm }
}
