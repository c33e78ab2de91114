import type { Device } from '../graph/device.js'
import type { HeldValue } from '../graph/held-value.js'
import { canHold, openHolder } from '../graph/hold-values.js'
import type { Value } from '../graph/session.js'
import { type OptimizerState, stateViews, valueName } from './optimizer/optimizer-state.js'

/** The weights of a network as the runs of a step read them. */
export interface StepWeights {
  /** What to feed to a run. The values of the state are read anew where a step begins. */
  feeds(isNewStep: boolean): Promise<Readonly<Record<string, Value | HeldValue>>>
  close(): Promise<void>
}

/**
 * On a device that can hold values each weight goes there as seldom as it changes: one that is not trained once in
 * all, the others once in a step where several runs of the step read them. Else each run reads the state's memory.
 *
 * @param runs that read the weights in one step
 */
export async function openStepWeights(
  state: OptimizerState,
  device: Device,
  runs: number,
): Promise<StepWeights> {
  const { feeds } = stateViews(state)
  if (!canHold(device)) return { feeds: async () => feeds, close: async () => {} }
  const frozen = new Set(state.frozen.map(({ name }) => valueName(name)))
  const part = (isFrozen: boolean) =>
    Object.fromEntries(Object.entries(feeds).filter(([name]) => frozen.has(name) === isFrozen))
  const keeper = await openHolder(shapesOf(part(true)), device)
  const fixed = await keeper.hold(part(true))
  const moving = part(false)
  const holder = runs > 1 ? await openHolder(shapesOf(moving), device) : undefined
  let held: Record<string, HeldValue> = {}
  return {
    async feeds(isNewStep) {
      if (holder && isNewStep) {
        releaseAll(held)
        held = await holder.hold(moving)
      }
      return { ...fixed, ...(holder ? held : moving) }
    },
    async close() {
      releaseAll({ ...fixed, ...held })
      await keeper.close()
      await holder?.close()
    },
  }
}

const shapesOf = (values: Readonly<Record<string, Value>>) =>
  Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, shape]))

function releaseAll(values: Readonly<Record<string, HeldValue>>): void {
  for (const value of Object.values(values)) value.release()
}
