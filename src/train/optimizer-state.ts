import { floats, type Value } from '../graph/session.js'
import { initialValue, type Parameter } from '../model/parameters.js'
import { type NamedArray, readSafetensors, writeSafetensors } from '../model/safetensors.js'
import { UserError } from '../user-error.js'
import { type ParameterGroup, stateKinds } from './adamw.js'

/** The vectors of AdamW by name (`value.weights`, `moment1.biases`, …), as a step reads and writes them. */
export type OptimizerState = Readonly<Record<string, Value>>

const vectorNames = (groups: readonly ParameterGroup[]) =>
  groups.flatMap((group) => stateKinds.map((kind) => ({ name: `${kind}.${group.name}`, kind, group })))

/** Vectors of zeros. */
export function emptyState(groups: readonly ParameterGroup[]): OptimizerState {
  return Object.fromEntries(
    vectorNames(groups).map(({ name, group }) => [name, floats(new Float32Array(group.size), [group.size])]),
  )
}

/** The state before the first step: parameters as given, or as they start; no moments. */
export function initialState(
  groups: readonly ParameterGroup[],
  parameters: readonly Parameter[],
  seed: number,
  given?: ReadonlyMap<string, NamedArray>,
): OptimizerState {
  const state = emptyState(groups)
  const byName = new Map(parameters.map((parameter) => [parameter.name, parameter]))
  for (const { name, kind, group } of vectorNames(groups)) {
    if (kind !== 'value' && kind !== 'average') continue
    for (const slot of group.slots) {
      const parameter = byName.get(slot.name) as Parameter
      const value = given ? givenValue(parameter, given) : initialValue(parameter, seed)
      ;(state[name].data as Float32Array).set(value, slot.offset)
    }
  }
  return state
}

function givenValue({ name, shape }: Parameter, given: ReadonlyMap<string, NamedArray>): Float32Array {
  const found = given.get(name)
  if (!found) throw new UserError(`The model to start from has no parameter ${name}: its preset differs.`)
  if (found.shape.join() !== shape.join()) {
    throw new UserError(
      `Parameter ${name} has shape [${found.shape}] in the model to start from, [${shape}] here.`,
    )
  }
  return found.data
}

/** The parameters that a state holds: the moving averages, which label and evaluate better than the last values. */
export function parametersOfState(
  groups: readonly ParameterGroup[],
  state: OptimizerState,
  kind: 'average' | 'value' = 'average',
): NamedArray[] {
  return groups.flatMap((group) => {
    const vector = state[`${kind}.${group.name}`].data as Float32Array
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
