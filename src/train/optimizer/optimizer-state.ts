import { sizeOf } from '../../graph/ops/tensor.js'
import { floats, type Value } from '../../graph/session.js'
import { initialValue, type Parameter } from '../../model/network/parameters.js'
import type { NamedArray } from '../../weights/safetensors.js'
import type { StoredTensor } from '../../weights/weight-file.js'
import { type AdamWVectors, allocateVectors, type VectorOptions } from './adamw-kernel.js'
import type { ParameterGroup } from './parameter-groups.js'

/**
 * What a training changes from step to step, in memory that stays where it is, and the parameters that it
 * does not change.
 */
export interface OptimizerState {
  readonly groups: readonly { readonly group: ParameterGroup; readonly vectors: AdamWVectors }[]
  readonly frozen: readonly NamedArray[]
}

/** Values of parameters to start from, read one after another. */
type StartValues = ReadonlyMap<string, Pick<StoredTensor, 'read'>>

export function emptyState(
  groups: readonly ParameterGroup[],
  parameters: readonly Parameter[],
  options: VectorOptions = {},
): OptimizerState {
  const memory = options.shared ? SharedArrayBuffer : ArrayBuffer
  return {
    groups: groups.map((group) => ({ group, vectors: allocateVectors(group.size, options) })),
    frozen: parameters
      .filter(({ frozen }) => frozen)
      .map(({ name, shape }) => ({ name, shape, data: new Float32Array(new memory(4 * sizeOf(shape))) })),
  }
}

/**
 * Gives these parameters the values that they start from, one tensor after another: those of `start`, or
 * where it has none, random ones that the seed decides.
 */
export async function fillState(
  state: OptimizerState,
  parameters: readonly Parameter[],
  seed: number,
  start?: StartValues,
): Promise<void> {
  const placesOf = (kind: 'value' | 'average') =>
    new Map(parametersOfState(state, kind).map(({ name, data }) => [name, data]))
  const places = [placesOf('value'), placesOf('average')]
  for (const parameter of parameters) {
    const values = (await start?.get(parameter.name)?.read()) ?? initialValue(parameter, seed)
    for (const place of places) place.get(parameter.name)?.set(values)
  }
}

/** The state before the first step: no moments. */
export async function initialState(
  groups: readonly ParameterGroup[],
  parameters: readonly Parameter[],
  seed: number,
  start?: StartValues,
  options: VectorOptions = {},
): Promise<OptimizerState> {
  const state = emptyState(groups, parameters, options)
  await fillState(state, parameters, seed, start)
  return state
}

/**
 * The parameters that a state holds: the moving averages, which label and evaluate better than the last
 * values.
 */
export function parametersOfState(
  { groups, frozen }: OptimizerState,
  kind: 'average' | 'value' | 'gradient' | 'sum' = 'average',
): NamedArray[] {
  const trained = groups.flatMap(({ group, vectors }) => {
    const numbers = vectors[kind]
    if (!numbers) throw new Error('these vectors have no sum')
    return group.slots.map(({ name, shape, offset }) => ({
      name,
      shape,
      data: numbers.subarray(offset, offset + sizeOf(shape)),
    }))
  })
  return kind === 'gradient' || kind === 'sum' ? trained : [...trained, ...frozen]
}

/** The names under which a graph reads a parameter and writes its gradient. */
export const valueName = (parameter: string): string => `parameter.${parameter}`
export const gradientName = (parameter: string): string => `gradient.${parameter}`

/**
 * What a step reads and where it writes: views of the state's memory, the same for every step.
 *
 * @param gradient where gradients are written: the vectors' own, or their sum
 */
export function stateViews(
  state: OptimizerState,
  gradient: 'gradient' | 'sum' = 'gradient',
): {
  readonly feeds: Readonly<Record<string, Value>>
  readonly into: Readonly<Record<string, Value>>
} {
  const views = (kind: 'value' | 'gradient' | 'sum', nameOf: (parameter: string) => string) =>
    Object.fromEntries(
      parametersOfState(state, kind).map(({ name, shape, data }) => [nameOf(name), floats(data, shape)]),
    )
  return { feeds: views('value', valueName), into: views(gradient, gradientName) }
}
