import { UserError } from '../base/user-error.js'
import { openStorage } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { faultLines, faultsError, findFaults } from './plan/check-stages.js'
import { diskWarning } from './plan/disk-warning.js'
import { pinStages } from './records/pin-hub.js'
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
 * it is, so a run that was stopped at any instant goes on where it was. What would stop a stage is looked for before
 * the first one (`findFaults`).
 *
 * Without an engine it is run in this process, stage after stage; a slice of it up to the stages that need the
 * shards of other slices too.
 */
export async function runPipeline(
  written: Pipeline,
  url: string,
  options: RunOptions = {},
): Promise<RunResult> {
  const run = openStorage(url)
  const pipeline = { ...written, stages: await pinStages(written.stages, run, options.signal) }
  const wanted = options.only && withNeeds(pipeline, options.only)
  const stages = pipeline.stages.filter(({ name }) => !wanted || wanted.has(name))
  const { slice, engine } = options
  await refuseFaults(stages, run, options)
  const hash = await storePipeline(run, pipeline)
  const presence = openPresence(run, {
    kind: slice ? 'slice' : 'run',
    pipeline: hash,
    onNotice: (text) => options.onNotice?.(stages[0] as Stage, text),
  })
  const others = () => othersAtWork(run, hash)
  const disk = run.isLocal ? diskWarning(stages, run, options) : {}
  const told = {
    ...options,
    others,
    ...joinEvents(options, presentEvents(presence, engine !== undefined), disk),
  }
  try {
    if (slice) return await runSlice(stages, url, slice, told)
    return await (engine ? runTasks(hash, stages, url, engine, told) : runInProcess(stages, url, told))
  } finally {
    await presence.close()
  }
}

/** Throws a UserError where a stage would be stopped by what can be told before the first one. */
export async function refuseFaults(
  stages: readonly Stage[],
  run: Storage,
  options: Pick<RunOptions, 'slice' | 'engine' | 'signal' | 'onNotice'> = {},
): Promise<void> {
  const { slice, engine, signal } = options
  // A slice makes shards alone; what makes one thing is another's, where that may be found.
  const own = new Set(stages.flatMap((stage) => (kindOf(stage).makes === 'shards' ? stage.name : [])))
  const found = (await findFaults(stages, run, signal)).filter(
    ({ atWork, stages: names }) => !slice || !atWork || names.some((name) => own.has(name)),
  )
  const faults = found.filter(({ atWork }) => !(atWork && engine?.isElsewhere))
  if (faults.length > 0) throw faultsError(faults)
  for (const line of faultLines(found))
    options.onNotice?.(stages[0] as Stage, `not found here, and looked for where the work is done: ${line}`)
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
