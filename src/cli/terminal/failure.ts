import type { StageOutcome } from '../../pipeline/tasks/run-stage.js'
import { say } from './print.js'

/** Why a run has failed, though it came to its end. */
export interface RunFailure {
  readonly message: string
  /** 1 where shards were set aside, 2 where nothing came of a stage and the user must mend something. */
  readonly code: 1 | 2
}

/** Why a stage that a command runs by itself has failed though it came to its end. */
export const failureOfStage = ({ nothing }: StageOutcome): RunFailure | undefined =>
  nothing === undefined ? undefined : { message: nothing, code: 2 }

/** Says why work has failed, if it has, and sets the exit code. Gives what a report in JSON says of it. */
export function tellFailure(failure: RunFailure | undefined): { readonly error?: RunFailure } {
  if (!failure) return {}
  process.exitCode = failure.code
  say(`groundmill: ${failure.message}`)
  return { error: failure }
}
