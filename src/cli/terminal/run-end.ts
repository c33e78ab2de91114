import { counted } from '../../base/counted.js'
import type { RunResult } from '../../pipeline/run-options.js'
import type { StageOutcome } from '../../pipeline/tasks/run-stage.js'
import { say } from './print.js'

/** Why a run has failed, though it came to its end. */
export interface RunFailure {
  readonly message: string
  /** 1 where shards were set aside, 2 where nothing came of a stage and the user must mend something. */
  readonly code: 1 | 2
}

/** Why a run has failed though it came to its end; undefined where it has not. */
export function failureOfRun({ outcomes, failed, stopped }: RunResult): RunFailure | undefined {
  const messages: string[] = []
  for (const [stage, { nothing }] of outcomes) {
    if (nothing === undefined) continue
    const behind = stopped.filter(({ at, why }) => at === stage && why === 'nothing came of it')
    const names = behind.map((one) => one.stage).join(', ')
    messages.push(`${nothing}${names && `\n  not run, for they need it: ${names}`}`)
  }
  const code = failed > 0 ? 1 : 2
  if (failed > 0) messages.push(`${counted(failed, 'shard')} set aside; run the same command again to retry`)
  return messages.length === 0 ? undefined : { message: messages.join('\n'), code }
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
