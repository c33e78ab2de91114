import { UserError } from '../base/user-error.js'
import { openStorage } from '../storage/open-storage.js'
import { kindOf, type Pipeline, type Stage } from './config.js'
import type { Engine } from './engines/engine.js'
import { runSlice, type StoppedStage } from './run-slice.js'
import { runStage, type StageOptions, type StageOutcome } from './run-stage.js'
import { runTasks } from './run-tasks.js'
import type { StageOutput } from './stages/stage-context.js'
import type { TaskResult } from './tasks/task.js'

export interface RunOptions extends Omit<StageOptions, 'stopAtFailure' | 'replace'> {
  /** What carries the tasks; they are made in this process, stage after stage, by default. */
  readonly engine?: Engine
  /** Before a task of an engine is carried, and when it has come to an end. */
  onTaskStart?(stage: Stage, shard: string | undefined): void
  onTaskEnd?(stage: Stage, shard: string | undefined, result: TaskResult | Error): void
  /** Tasks of an engine that have ended, of those that are known. */
  onTasks?(done: number, total: number): void
  onStageStart?(stage: Stage): void
  onStageEnd?(stage: Stage, outcome: StageOutcome): void
  /** Stages to run, and what they need; all by default. */
  readonly only?: readonly string[]
}

export interface RunResult {
  readonly outcomes: ReadonlyMap<string, StageOutcome>
  readonly failed: number
  /** Stages at which a slice has stopped, and those behind them. */
  readonly stopped: readonly StoppedStage[]
}

/**
 * Runs a pipeline into the folder `url`. What is already made of the same configuration and inputs is left as
 * it is, so a run that was stopped at any instant goes on where it was.
 *
 * Without an engine it is run in this process, stage after stage; a slice of it up to the stages that need the
 * shards of other slices too.
 */
export async function runPipeline(
  pipeline: Pipeline,
  url: string,
  options: RunOptions = {},
): Promise<RunResult> {
  const wanted = options.only && withNeeds(pipeline, options.only)
  const stages = pipeline.stages.filter(({ name }) => !wanted || wanted.has(name))
  if (options.slice) return runSlice(stages, url, options.slice, options)
  return options.engine
    ? runTasks(pipeline, stages, url, options.engine, options)
    : runInProcess(stages, url, options)
}

async function runInProcess(stages: readonly Stage[], url: string, options: RunOptions): Promise<RunResult> {
  const run = openStorage(url)
  const outputs = new Map<string, StageOutput>()
  const outcomes = new Map<string, StageOutcome>()
  for (const stage of stages) {
    options.signal?.throwIfAborted()
    options.onStageStart?.(stage)
    const { output, outcome } = await runStage(kindOf(stage), stage, { run, outputs }, options)
    outputs.set(stage.name, output)
    outcomes.set(stage.name, outcome)
    options.onStageEnd?.(stage, outcome)
  }
  return { outcomes, failed: failedOf(outcomes), stopped: [] }
}

function withNeeds({ stages }: Pipeline, names: readonly string[]): Set<string> {
  const byName = new Map(stages.map((stage) => [stage.name, stage]))
  const wanted = new Set<string>()
  const add = (name: string) => {
    const stage = byName.get(name)
    if (!stage)
      throw new UserError(`There is no stage "${name}"; there are: ${[...byName.keys()].join(', ')}.`)
    if (wanted.has(name)) return
    wanted.add(name)
    stage.needs.forEach(add)
  }
  names.forEach(add)
  return wanted
}
