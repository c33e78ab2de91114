import { UserError } from '../base/user-error.js'
import { openStorage } from '../storage/open-storage.js'
import type { RunOptions, RunResult, StoppedStage } from './run-options.js'
import { runSlice } from './run-slice.js'
import { runTasks } from './run-tasks.js'
import { kindOf, type Pipeline, type Stage } from './stages/pipeline-config.js'
import type { StageOutput } from './stages/stage-context.js'
import { countFailed } from './tasks/count-failed.js'
import { openPresence } from './tasks/presence.js'
import { othersAtWork } from './tasks/read-presences.js'
import { joinEvents, presentEvents } from './tasks/run-events.js'
import { runStage, type StageOutcome } from './tasks/run-stage.js'
import { stagesBehind } from './tasks/stages-behind.js'
import { storePipeline } from './tasks/stored-pipeline.js'

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
  const run = openStorage(url)
  const hash = await storePipeline(run, pipeline)
  const { slice, engine } = options
  const presence = openPresence(run, {
    kind: slice ? 'slice' : 'run',
    pipeline: hash,
    onNotice: (text) => options.onNotice?.(stages[0] as Stage, text),
  })
  const others = () => othersAtWork(run, hash)
  const told = { ...options, others, ...joinEvents(options, presentEvents(presence, engine !== undefined)) }
  try {
    if (slice) return await runSlice(stages, url, slice, told)
    return await (engine ? runTasks(hash, stages, url, engine, told) : runInProcess(stages, url, told))
  } finally {
    await presence.close()
  }
}

async function runInProcess(stages: readonly Stage[], url: string, options: RunOptions): Promise<RunResult> {
  const run = openStorage(url)
  const outputs = new Map<string, StageOutput>()
  const outcomes = new Map<string, StageOutcome>()
  const stopped = new Map<string, StoppedStage>()
  for (const stage of stages) {
    options.signal?.throwIfAborted()
    const at = emptyBehind(stages, stage, outcomes)
    if (at !== undefined) {
      stopped.set(stage.name, { stage: stage.name, at, why: 'nothing came of it' })
      continue
    }
    options.onStageStart?.(stage)
    const { output, outcome } = await runStage(kindOf(stage), stage, { run, outputs }, options)
    outputs.set(stage.name, output)
    outcomes.set(stage.name, outcome)
    options.onStageEnd?.(stage, outcome)
  }
  return { outcomes, failed: countFailed(outcomes), stopped: [...stopped.values()] }
}

/** The first of the stages behind a stage of which nothing came. */
function emptyBehind(
  stages: readonly Stage[],
  stage: Stage,
  outcomes: ReadonlyMap<string, StageOutcome>,
): string | undefined {
  const behind = stagesBehind({ stages }, stage)
  return behind.find(({ name }) => outcomes.get(name)?.nothing !== undefined)?.name
}

/** The stages of those names, and all that they need. */
export function withNeeds({ stages }: Pipeline, names: readonly string[]): Set<string> {
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
