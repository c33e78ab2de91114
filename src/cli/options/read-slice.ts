import { UserError } from '../../base/user-error.js'
import type { Slice } from '../../pipeline/tasks/run-stage.js'

/**
 * A slice as it was asked for: `i/n`, with i from 0, or `auto` for the one that a scheduler gives: a Slurm array
 * (SLURM_ARRAY_TASK_ID, from SLURM_ARRAY_TASK_MIN on, and SLURM_ARRAY_TASK_COUNT), or an Indexed Job of Kubernetes
 * (JOB_COMPLETION_INDEX) with the count behind it: `auto/n`.
 *
 * @returns undefined where none was asked for
 * @throws UserError where it is none, or no scheduler says which
 */
export function readSlice(
  text: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Slice | undefined {
  if (text === undefined) return undefined
  const [, first, last] = /^(auto|\d+)(?:\/(\d+))?$/.exec(text) ?? []
  const wrong = (what: string) =>
    new UserError(
      `--slice ${text}: ${what} (i/n with i from 0, or auto or auto/n under Slurm arrays and Indexed Jobs).`,
    )
  if (first === undefined) throw wrong('that is no slice')
  const given = last === undefined ? undefined : Number(last)
  const { index, count } =
    first === 'auto' ? scheduled(env, given) : { index: Number(first), count: undefined }
  if (index === undefined)
    throw wrong('neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX says which it is')
  const slices = given ?? count
  if (slices === undefined) throw wrong('nothing says how many slices there are')
  if (slices < 1 || index < 0 || index >= slices) throw wrong(`there is no slice ${index} of ${slices}`)
  return { index, count: slices }
}

function scheduled(env: Readonly<Record<string, string | undefined>>, slices: number | undefined) {
  const number = (name: string) => {
    const value = env[name]
    return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
  }
  const task = number('SLURM_ARRAY_TASK_ID')
  if (task !== undefined) {
    const count = number('SLURM_ARRAY_TASK_COUNT')
    // A part of an array that is submitted again, such as 3,7 of 8, keeps the numbers of its tasks.
    if (slices !== undefined && slices !== count) return { index: task, count }
    // Of an array such as 1-10 or 0-8:2 the places of its tasks are counted.
    const step = number('SLURM_ARRAY_TASK_STEP') || 1
    return { index: (task - (number('SLURM_ARRAY_TASK_MIN') ?? 0)) / step, count }
  }
  return { index: number('JOB_COMPLETION_INDEX'), count: number('GROUNDMILL_SLICES') }
}
