import { random } from '../../src/base/random.js'
import { grad } from '../../src/graph/grad.js'
import { reduceSum } from '../../src/graph/ops/broadcast.js'
import { add, mul } from '../../src/graph/ops/elementwise.js'
import { constant, sizeOf, type Tensor } from '../../src/graph/ops/tensor.js'
import { type Parameter, parametersOf } from '../../src/model/network/parameters.js'
import type { ParityCase } from './glip-cases.js'

/**
 * Noise of an output's size: the gradients of a case are those of sum(cotangent * output) over its outputs.
 */
export function cotangent(name: string, key: string, { shape }: Tensor): Float32Array {
  const draw = random(name, 'cotangent', key)
  return Float32Array.from({ length: sizeOf(shape) }, () => draw.normal())
}

/** The parameters of a case, and its outputs under `output.KEY`. */
export function caseOutputs({ outputs }: ParityCase): {
  readonly parameters: readonly Parameter[]
  readonly named: Record<string, Tensor>
} {
  const named = Object.fromEntries(Object.entries(outputs).map(([key, tensor]) => [`output.${key}`, tensor]))
  return { parameters: parametersOf(Object.values(outputs)), named }
}

/** Gradients of a case under `gradient.PARAMETER` and `gradient.input.KEY`. */
export function caseGradients(
  name: string,
  { inputs, outputs }: ParityCase,
  parameters: readonly Parameter[],
): Record<string, Tensor> {
  const terms = Object.entries(outputs).map(([key, tensor]) =>
    reduceSum(mul(tensor, constant(cotangent(name, key, tensor), tensor.shape))),
  )
  const wrt = [
    ...parameters.map((parameter) => [parameter.name, parameter.tensor] as const),
    ...Object.entries(inputs)
      .filter(([key, { dtype }]) => dtype === 'float32' && key !== 'mask')
      .map(([key, tensor]) => [`input.${key}`, tensor] as const),
  ]
  const gradients = grad(
    terms.reduce((sum, term) => add(sum, term)),
    wrt.map(([, tensor]) => tensor),
  )
  return Object.fromEntries(wrt.map(([key], index) => [`gradient.${key}`, gradients[index]!]))
}

/** Some of an array's values, evenly spread. */
export function sampleOf(data: ArrayLike<number>, most: number): number[] {
  const count = Math.min(most, data.length)
  return Array.from({ length: count }, (_, index) => data[Math.floor((index * data.length) / count)]!)
}

/** Largest absolute difference, over the largest absolute value of what is expected. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0
  let scale = 0
  for (let index = 0; index < expected.length; index++) {
    const gap = Math.abs(actual[index]! - expected[index]!)
    difference = Math.max(difference, gap)
    scale = Math.max(scale, Math.abs(expected[index]!))
  }
  return difference / scale
}
