import { findFirst } from '../base/find-first.js'
import { sliceHostLimiter } from '../ingest/fetch/slice-host-limiter.js'
import { type CommitRecord, readCommit } from '../shards/commit.js'
import { openStorage } from '../storage/open-storage.js'
import type { RunOptions, RunResult, StoppedStage } from './run-options.js'
import { kindOf, type Stage } from './stages/pipeline-config.js'
import type { StageOutput } from './stages/stage-context.js'
import { countFailed } from './tasks/count-failed.js'
import { findOutput } from './tasks/find-output.js'
import { nothingCame } from './tasks/nothing-came.js'
import {
  hashOf,
  proposalsFor,
  runStage,
  type Slice,
  type StageOutcome,
  type StagePlace,
} from './tasks/run-stage.js'
import { addSums, noSums, sumsOfRecord } from './tasks/shard-sums.js'
import { stagesBehind } from './tasks/stages-behind.js'

/**
 * Runs a slice of a pipeline in this process: of each dataset every `count`-th shard. It goes on where a shard
 * needs the same shard of the stage before, and stops at a stage that needs all of them, unless all are there:
 * one thing (a model, scores) is taken where it is made already, and made by nobody but a whole run.
 */
export async function runSlice(
  stages: readonly Stage[],
  url: string,
  slice: Slice,
  options: RunOptions,
): Promise<RunResult> {
  const run = openStorage(url)
  const outputs = new Map<string, StageOutput>()
  const outcomes = new Map<string, StageOutcome>()
  const stopped = new Map<string, StoppedStage>()
  /** Stages all of whose shards are known to be there. */
  const whole = new Map<string, boolean>()
  const place: StagePlace = { run, outputs }

  const isWhole = async (stage: Stage): Promise<boolean> => {
    const known = whole.get(stage.name)
    if (known !== undefined) return known
    const found = await hasAllShards(stage, place)
    whole.set(stage.name, found)
    return found
  }
  const lacking = async (stage: Stage) => {
    for (const need of stagesBehind({ stages }, stage)) if (!(await isWhole(need))) return need
    return undefined
  }
  const stop = (stage: Stage, at: string, why: StoppedStage['why']) => {
    stopped.set(stage.name, { stage: stage.name, at, why })
  }

  const hostLimiter = sliceHostLimiter(slice)
  for (const stage of stages) {
    options.signal?.throwIfAborted()
    const behind = stagesBehind({ stages }, stage)
    const before = behind.flatMap(({ name }) => stopped.get(name) ?? [])[0]
    const empty = behind.find(({ name }) => outcomes.get(name)?.nothing !== undefined)
    if (before || empty) {
      if (empty) stop(stage, empty.name, 'nothing came of it')
      else if (before) stop(stage, before.at, before.why)
      continue
    }
    const kind = kindOf(stage)
    const isShard = kind.makes === 'shards' && kind.edge(stage.with) === 'shard'
    if (!isShard && (await lacking(stage))) {
      stop(stage, stage.name, 'shards of other slices are missing')
      continue
    }
    if (kind.makes === 'one') {
      const found = await findOutput(stage, place)
      if (!found) stop(stage, stage.name, 'it takes all shards at once')
      else {
        outputs.set(stage.name, found)
        outcomes.set(stage.name, { ran: 0, skipped: 1, failed: [], warnings: [], seconds: 0 })
      }
      continue
    }
    if (kind.edge(stage.with) === 'in order') {
      const found = await findOutput(stage, place)
      if (found) outputs.set(stage.name, found)
      if (await isWhole(stage)) continue
      outputs.delete(stage.name)
      stop(stage, stage.name, 'it takes all shards at once')
      continue
    }
    options.onStageStart?.(stage)
    const run = await runStage(kind, stage, place, { hostLimiter, ...options, slice })
    const { output } = run
    outputs.set(stage.name, output)
    const nothing = run.result.out === 0 ? await nothingInAll(stage, place) : undefined
    const outcome = { ...run.outcome, ...(nothing !== undefined && { nothing }) }
    outcomes.set(stage.name, outcome)
    options.onStageEnd?.(stage, outcome)
  }
  return { outcomes, failed: countFailed(outcomes), stopped: [...stopped.values()] }
}

/** Whether all shards of a stage are there, made of the same configuration; true of a stage that makes one thing. */
async function hasAllShards(stage: Stage, place: StagePlace): Promise<boolean> {
  return (await shardOf(stage, place, (record) => record === undefined)) === undefined
}

/**
 * A shard of a stage whose record is as asked for; one that is not made of the same configuration has none.
 * Undefined where there is none, and of a stage that makes one thing.
 */
async function shardOf(
  stage: Stage,
  { outputs }: StagePlace,
  isWanted: (record: CommitRecord | undefined) => boolean,
): Promise<string | undefined> {
  const kind = kindOf(stage)
  const dataset = outputs.get(stage.name)?.dataset
  if (kind.makes === 'one' || !dataset) return undefined
  const configHash = hashOf(kind, stage, outputs)
  return findFirst(dataset.shards, async (shard) => {
    const record = await readCommit(dataset.storage, kind.family, stage.name, shard)
    const isMade = record?.configHash === configHash || record?.config?.kept_for === configHash
    return isWanted(isMade ? record : undefined) ? shard : undefined
  })
}

/** Why nothing came of a stage, where the slices have made all of its shards, and nothing came of any. */
async function nothingInAll(stage: Stage, place: StagePlace): Promise<string | undefined> {
  const kind = kindOf(stage)
  const dataset = place.outputs.get(stage.name)?.dataset
  if (kind.makes === 'one' || kind.mayBeEmpty || !dataset) return undefined
  if (await shardOf(stage, place, (record) => record === undefined || record.out > 0)) return undefined
  let sums = noSums
  for (const shard of dataset.shards) {
    const record = await readCommit(dataset.storage, kind.family, stage.name, shard)
    if (record) sums = addSums(sums, sumsOfRecord(record))
  }
  const proposals = proposalsFor(stage, place.outputs)
  return nothingCame({ stage, kind, dataset, sums, proposals })
}
