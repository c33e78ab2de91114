import { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import { type NamedArray, openSafetensors, writeSafetensors } from '../../weights/safetensors.js'
import type { OptimizerState } from './optimizer-state.js'

/**
 * How far a run has come. (Files of older versions also say how many samples were taken from each source.)
 */
export interface Checkpoint {
  /** Steps that are done. Which samples they took follows from it, see `sampleOrder`. */
  readonly step: number
  /** What the run was made of; a checkpoint of another is not resumed. */
  readonly hash: string
  /** What validations have led to, where there are any. */
  readonly validation?: unknown
}

/** What a checkpoint holds of a group. */
const kept = ['value', 'moment1', 'moment2', 'average'] as const

const vectorsOf = ({ groups }: OptimizerState): NamedArray[] =>
  groups.flatMap(({ group, vectors }) =>
    kept.map((kind) => ({ name: `${kind}.${group.name}`, shape: [group.size], data: vectors[kind] })),
  )

export async function writeCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  state: OptimizerState,
): Promise<void> {
  await writeSafetensors(path, vectorsOf(state), { checkpoint: JSON.stringify(checkpoint) })
}

/** Fills the state from a file, one vector after another, where there is a checkpoint of this run. */
export async function readCheckpoint(
  path: string,
  hash: string,
  state: OptimizerState,
): Promise<Checkpoint | undefined> {
  const file = await openSafetensors(path).catch(() => undefined)
  if (!file) return undefined
  try {
    const checkpoint = noted(file.metadata.checkpoint)
    if (checkpoint?.hash !== hash) return undefined
    for (const { name, data } of vectorsOf(state)) {
      const values = await file.tensors.get(name)?.read()
      if (values?.length !== data.length)
        throw new UserError(
          `${path} is damaged: ${name} has ${values?.length ?? 0} numbers, and ${data.length} are of this training. Delete it, and the training begins anew.`,
        )
      data.set(values)
    }
    return checkpoint
  } finally {
    await file.close()
  }
}

const schema = z.object({ step: z.int().nonnegative(), hash: z.string(), validation: z.unknown().optional() })

/** What a file says of itself; undefined where it is no checkpoint's. */
function noted(text: string | undefined): Checkpoint | undefined {
  try {
    return schema.parse(JSON.parse(text ?? 'null'))
  } catch {
    return undefined
  }
}
