import { floats, type Value } from '../graph/session.js'
import { sizeOf } from '../graph/tensor.js'
import { initialValue, type Parameter } from '../model/parameters.js'
import { type NamedArray, readSafetensors, writeSafetensors } from '../model/safetensors.js'
import type { StoredTensor } from '../model/weight-file.js'
import { isLarge, type ParameterGroup, pieceName, stateKinds, wholeName } from './parameter-groups.js'

/** The vectors of AdamW by name (`value.weights`, `moment1.biases`, …). A step changes them in place, through `stateViews`. */
export type OptimizerState = Readonly<Record<string, Value>>

const vectorNames = (groups: readonly ParameterGroup[]) =>
  groups
    .filter(({ trained }) => trained)
    .flatMap((group) => stateKinds.map((kind) => ({ name: `${kind}.${group.name}`, kind, group })))

/** Vectors of zeros, for what is trained. */
function emptyState(groups: readonly ParameterGroup[]): OptimizerState {
  return Object.fromEntries(
    vectorNames(groups).map(({ name, group }) => [name, floats(new Float32Array(group.size), [group.size])]),
  )
}

/**
 * Parts of the vectors under the names by which a step reads and writes them: they share its memory, so that they are the same for every
 * step.
 */
export function stateViews(
  groups: readonly ParameterGroup[],
  state: OptimizerState,
): { readonly feeds: Record<string, Value>; readonly into: Record<string, Value> } {
  const feeds: Record<string, Value> = {}
  const into: Record<string, Value> = {}
  for (const group of groups) {
    for (const kind of group.trained ? stateKinds : (['value'] as const)) {
      const vector = state[`${kind}.${group.name}`].data as Float32Array
      for (const piece of group.pieces) {
        const { offset, size } = piece
        const view = floats(vector.subarray(offset, offset + size), [size])
        feeds[pieceName(kind, group, piece)] = view
        if (group.trained) into[`next.${pieceName(kind, group, piece)}`] = view
      }
    }
    const values = state[`value.${group.name}`].data as Float32Array
    for (const slot of group.slots.filter(isLarge)) {
      const size = sizeOf(slot.shape)
      feeds[wholeName(slot)] = floats(values.subarray(slot.offset, slot.offset + size), slot.shape)
    }
  }
  return { feeds, into }
}

/** Values of parameters to start from, read one after another. */
type Given = ReadonlyMap<string, Pick<StoredTensor, 'read'>>

/** The state before the first step: no moments, and parameters as given, one tensor after another, or as they start. */
export async function initialState(
  groups: readonly ParameterGroup[],
  parameters: readonly Parameter[],
  seed: number,
  given?: Given,
): Promise<OptimizerState> {
  const state = emptyState(groups)
  for (const group of groups.filter(({ trained }) => trained)) {
    const values = state[`value.${group.name}`].data as Float32Array
    await fillValues(values, group, parameters, seed, given)
    ;(state[`average.${group.name}`].data as Float32Array).set(values)
  }
  return state
}

/** The vector of the parameters that are not trained, as given or as they start: it stays the same at every step. */
export async function frozenValues(
  groups: readonly ParameterGroup[],
  parameters: readonly Parameter[],
  seed: number,
  given?: Given,
): Promise<OptimizerState> {
  const state: Record<string, Value> = {}
  for (const group of groups.filter(({ trained }) => !trained)) {
    const values = new Float32Array(group.size)
    await fillValues(values, group, parameters, seed, given)
    state[`value.${group.name}`] = floats(values, [group.size])
  }
  return state
}

async function fillValues(
  into: Float32Array,
  { slots }: ParameterGroup,
  parameters: readonly Parameter[],
  seed: number,
  given: Given | undefined,
): Promise<void> {
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  for (const { name, offset } of slots) {
    const taken = await given?.get(name)?.read()
    into.set(taken ?? initialValue(byName.get(name) as Parameter, seed), offset)
  }
}

/** The parameters that a state holds: the moving averages, which label and evaluate better than the last values. */
export function parametersOfState(
  groups: readonly ParameterGroup[],
  state: OptimizerState,
  kind: 'average' | 'value' = 'average',
): NamedArray[] {
  return groups.flatMap((group) => {
    const vector = state[`${group.trained ? kind : 'value'}.${group.name}`].data as Float32Array
    return group.slots.map(({ name, shape, offset }) => {
      const size = shape.reduce((product, side) => product * side, 1)
      return { name, shape, data: vector.subarray(offset, offset + size) }
    })
  })
}

export interface Checkpoint {
  readonly step: number
  /** Samples taken from each source. */
  readonly positions: Readonly<Record<string, number>>
  /** What the run was made of; a checkpoint of another is not resumed. */
  readonly hash: string
}

export async function writeCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  state: OptimizerState,
): Promise<void> {
  const arrays = Object.entries(state).map(([name, { data, shape }]) => ({
    name,
    shape,
    data: data as Float32Array,
  }))
  await writeSafetensors(path, arrays, { checkpoint: JSON.stringify(checkpoint) })
}

/** The checkpoint and its state, or undefined where there is none of this run. */
export async function readCheckpoint(
  path: string,
  hash: string,
): Promise<{ readonly checkpoint: Checkpoint; readonly state: OptimizerState } | undefined> {
  const file = await readSafetensors(path).catch(() => undefined)
  if (!file) return undefined
  const checkpoint = JSON.parse(file.metadata.checkpoint ?? '{}') as Checkpoint
  if (checkpoint.hash !== hash) return undefined
  const state = Object.fromEntries(
    [...file.tensors.values()].map(({ name, shape, data }) => [name, floats(data, shape)]),
  )
  return { checkpoint, state }
}
