import { type Shape, sizeOf } from '../../graph/ops/tensor.js'
import { maxElements } from './adamw-kernel.js'

export interface ParameterSlot {
  readonly name: string
  readonly shape: Shape
  /** First element in its group's vector. */
  readonly offset: number
}

/** Parameters that share a learning rate and a decay, one after another in a vector. */
export interface ParameterGroup {
  /** Such as `weights` and, where there are more than a vector holds, `weights.1`. */
  readonly name: string
  /** Elements of the vector. */
  readonly size: number
  readonly slots: readonly ParameterSlot[]
  readonly decay: boolean
  /** Of the learning rate. */
  readonly rate: number
}

/** How the learning rates of kinds of parameters differ: times the learning rate. */
export interface RateFactors {
  /** Of the text encoder. The official recipe has 1e-5 where the rest has 1e-4: 0.1. */
  readonly language_rate: number
  /** Of biases; 2 in the official solver. */
  readonly bias_rate: number
}

/** Each parameter begins on a cache line, as onnxruntime likes it. */
const alignment = 16

const isBias = (name: string) => name.endsWith('bias')
const isLanguage = (name: string) => name.startsWith('language_backbone.')

/**
 * The parameters that are trained, in vectors. Biases and scalars are not decayed, as in the official solver.
 *
 * @param maxSize elements of a vector; one parameter may have more
 */
export function groupParameters(
  parameters: readonly { readonly name: string; readonly shape: Shape; readonly frozen: boolean }[],
  { language_rate, bias_rate }: RateFactors,
  maxSize = maxElements / 4,
): ParameterGroup[] {
  const kinds = [
    { name: 'weights', has: (name: string) => !isBias(name) && !isLanguage(name), decay: true, rate: 1 },
    {
      name: 'biases',
      has: (name: string) => isBias(name) && !isLanguage(name),
      decay: false,
      rate: bias_rate,
    },
    {
      name: 'language.weights',
      has: (name: string) => !isBias(name) && isLanguage(name),
      decay: true,
      rate: language_rate,
    },
    {
      name: 'language.biases',
      has: (name: string) => isBias(name) && isLanguage(name),
      decay: false,
      rate: language_rate * bias_rate,
    },
  ]
  const trained = parameters.filter(({ frozen }) => !frozen)
  return kinds.flatMap(({ name, has, decay, rate }) =>
    vectorsOf(
      trained.filter((parameter) => has(parameter.name)),
      maxSize,
    ).map((vector, index) => ({
      name: index === 0 ? name : `${name}.${index}`,
      ...vector,
      decay,
      rate,
    })),
  )
}

function vectorsOf(
  parameters: readonly { readonly name: string; readonly shape: Shape }[],
  maxSize: number,
): { readonly size: number; readonly slots: readonly ParameterSlot[] }[] {
  const vectors: { size: number; slots: ParameterSlot[] }[] = []
  for (const { name, shape } of parameters) {
    const size = Math.ceil(sizeOf(shape) / alignment) * alignment
    let last = vectors.at(-1)
    if (!last || last.size + size > maxSize) {
      last = { size: 0, slots: [] }
      vectors.push(last)
    }
    last.slots.push({ name, shape, offset: last.size })
    last.size += size
  }
  return vectors
}
