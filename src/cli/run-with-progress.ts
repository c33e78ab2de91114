import type { RunOptions, RunResult } from '../pipeline/run-options.js'
import { runPipeline } from '../pipeline/run-pipeline.js'
import { kindOf, type Pipeline, type Stage } from '../pipeline/stages/pipeline-config.js'
import type { StageOf } from '../pipeline/stages/stage-context.js'
import { joinEvents } from '../pipeline/tasks/run-events.js'
import type { StageEvents, StageOutcome } from '../pipeline/tasks/run-stage.js'
import type { RunFailure } from './terminal/failure.js'
import { createProgress, duration } from './terminal/progress.js'

/** Runs a pipeline and tells of it on standard error: a bar while a stage works, a line when it is done. */
export async function runWithProgress(
  pipeline: Pipeline,
  url: string,
  options: Pick<RunOptions, 'signal' | 'only' | 'retryFailed' | 'drop' | 'engine' | 'slice'>,
  others: StageEvents = {},
): Promise<RunResult> {
  const progress = createProgress()
  /** Tasks of an engine that are under way, by their stage. */
  const underWay = new Map<string, number>()
  const count = ({ name }: StageOf, change: number) => underWay.set(name, (underWay.get(name) ?? 0) + change)
  const own: StageEvents = {
    onProgress: ({ name }, done, total, note) => {
      if (!options.engine) progress.update(name, done, total, note)
    },
    onTaskStart: (stage) => count(stage, 1),
    onTaskEnd: (stage) => count(stage, -1),
    onNotice: ({ name }, text) => progress.finish(`  ${name}: ${text}`),
  }
  return runPipeline(pipeline, url, {
    ...options,
    ...joinEvents(own, others),
    onTasks: (done, total) => {
      const now = [...underWay].filter(([, tasks]) => tasks > 0).map(([name, tasks]) => `${name} ${tasks}`)
      progress.update('tasks', done, total, now.join(', '))
    },
    onStageEnd: (stage, outcome) => progress.finish(stageLine(stage, outcome)),
  })
}

function stageLine(stage: Stage, { ran, skipped, failed, warnings, nothing, seconds }: StageOutcome): string {
  const { name, uses } = stage
  const tasks = ran + skipped + failed.length
  const state = failed.length > 0 || nothing !== undefined ? '✗' : '✓'
  const parts = [`${state} ${name.padEnd(34)} ${uses.padEnd(8)}`]
  if (ran === 0 && failed.length === 0) parts.push('already done')
  else {
    if (kindOf(stage).makes === 'shards')
      parts.push(`${ran} of ${tasks} shards made${skipped ? `, ${skipped} already there` : ''}`)
    parts.push(duration(seconds))
  }
  for (const { shard, error } of failed) parts.push(`\n  shard ${shard} set aside: ${error}`)
  for (const warning of warnings) parts.push(`\n  warning: ${warning}`)
  return parts.join('  ')
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
  if (failed > 0) messages.push(`${failed} shard(s) were set aside; run the same command again to retry them`)
  return messages.length === 0 ? undefined : { message: messages.join('\n'), code }
}
