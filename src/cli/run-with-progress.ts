import { faultsError } from '../pipeline/plan/check-stages.js'
import { planRun } from '../pipeline/plan/plan-run.js'
import type { RunOptions, RunResult } from '../pipeline/run-options.js'
import { runPipeline, withNeeds } from '../pipeline/run-pipeline.js'
import { kindOf, type Pipeline, type Stage } from '../pipeline/stages/pipeline-config.js'
import type { StageOf } from '../pipeline/stages/stage-context.js'
import { joinEvents } from '../pipeline/tasks/run-events.js'
import type { StageEvents, StageOutcome } from '../pipeline/tasks/run-stage.js'
import { print, printJson } from './terminal/print.js'
import { planText } from './terminal/print-plan.js'
import { createProgress, duration } from './terminal/progress.js'
import { tellFailure } from './terminal/run-end.js'

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
    onNotice: ({ name }, text) => progress.note(`  ${name}: ${text}`),
  }
  return runPipeline(pipeline, url, {
    ...options,
    ...joinEvents(own, others),
    onTasks: (done, total) => {
      const now = [...underWay].filter(([, tasks]) => tasks > 0).map(([name, tasks]) => `${name} ${tasks}`)
      progress.update('tasks', done, total, now.join(', '))
    },
    // Until the first shard has told how far it is: a model is opened, or a source is read.
    onStageStart: ({ name }) => {
      if (!options.engine) progress.update(name, 0, 0)
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

export interface ShowPlanOptions {
  readonly only?: readonly string[] | undefined
  readonly signal: AbortSignal
  readonly json?: boolean | undefined
}

/** Prints what a run would do, and does nothing of it. Exit code 2 where something would stop it. */
export async function showPlan(
  pipeline: Pipeline,
  url: string,
  { only, signal, json }: ShowPlanOptions,
): Promise<void> {
  const wanted = only && withNeeds(pipeline, only)
  const stages = pipeline.stages.filter(({ name }) => !wanted || wanted.has(name))
  const progress = createProgress()
  const onStage = ({ name }: { readonly name: string }, at: number) =>
    progress.update(`plan: ${name}`, at, stages.length)
  const plan = await planRun({ name: pipeline.name, stages }, url, { signal, onStage })
  progress.stop()
  if (!json) print(planText(plan))
  const { faults } = plan
  const end = tellFailure(faults.length > 0 ? { message: faultsError(faults).message, code: 2 } : undefined)
  if (json) printJson({ ...plan, ...end })
}
