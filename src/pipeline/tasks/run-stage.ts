import type { z } from 'zod'
import { hashJson } from '../../base/hash.js'
import type { HostLimiter } from '../../ingest/fetch/host-limiter.js'
import { sweepShards } from '../../shards/sweep-shards.js'
import type { Storage } from '../../storage/storage.js'
import type { TrainStart } from '../../train/train-task.js'
import { pinHub } from '../records/pin-hub.js'
import type { StageContext, StageOf, StageOutput } from '../stages/stage-context.js'
import type { Offers, OneKind, ShardsKind, StageKind } from '../stages/stage-kind.js'
import { remarksOn, type StageRemarks } from './nothing-came.js'
import { runShards } from './run-shards.js'
import { noSums, type ShardSums } from './shard-sums.js'

/** A share of a dataset's shards: those whose place, divided by `count`, leaves `index`. */
export interface Slice {
  /** From 0. */
  readonly index: number
  readonly count: number
}

/** What a stage tells of its work. */
export interface StageEvents {
  /** Units done of all: pairs, rows, steps, images. */
  onProgress?(stage: StageOf, done: number, total: number, note?: string): void
  /** How many rows an ingest stage will have, once its source was read for the plan. */
  onPlanned?(stage: StageOf, rows: number): void
  /** Before a task: a shard, or all of a stage that is one. */
  onTaskStart?(stage: StageOf, shard: string | undefined): void
  /** Units of a task done of all: pairs, rows, steps, images. */
  onTaskProgress?(stage: StageOf, shard: string | undefined, done: number, total: number): void
  /** What a task gave, or why it was set aside. */
  onTaskEnd?(stage: StageOf, shard: string | undefined, end: TaskEnd): void
  /** What a user should know while a stage goes on, such as which device was found. */
  onNotice?(stage: StageOf, text: string): void
  /** Before the first step of a training that starts from something. */
  onTrainStart?(stage: StageOf, start: TrainStart): void
}

/** The sums of a task and whether an earlier run had made it, or the error with which it failed. */
export type TaskEnd = (ShardSums & { readonly skipped: boolean }) | Error

/** What became of a stage. */
export interface StageOutcome {
  /** Tasks done now, and those that an earlier run had done. */
  readonly ran: number
  readonly skipped: number
  /** Shards set aside, with their errors. */
  readonly failed: readonly { readonly shard: string; readonly error: string }[]
  /** What the user should know though the work went on. */
  readonly warnings: readonly string[]
  /** Where its shards were made and nothing came of any: why, and what to do. What needs it is not run. */
  readonly nothing?: string
  readonly seconds: number
}

export interface StageOptions extends StageEvents {
  readonly signal?: AbortSignal
  /**
   * Rejected rows that are fetched again in shards that are there: `transient` (the default), `all`, `no`, or
   * reasons with commas between them.
   */
  readonly retryFailed?: string
  /**
   * Whether shards of a source may go that it no longer gives, and shards be replaced by some with fewer pictures.
   * Without it the first is refused, and the second leaves the shard as it was.
   */
  readonly drop?: boolean
  /** Whether a shard that keeps failing ends the stage with its error, in place of being set aside. */
  readonly stopAtFailure?: boolean
  /** Says who else works on the run with another pipeline, if anybody does. */
  readonly others?: () => Promise<string | undefined>
  /** What keeps a crawl polite; by default a limiter of this stage alone. */
  readonly hostLimiter?: HostLimiter
  /** The share of its shards that is made; all by default. */
  readonly slice?: Slice
  /** Which folder of an earlier export may be replaced; one of other data by default. */
  readonly replace?: StageContext['replace']
  /** Whether it is run by a command of its own, whose options name keys without the stage. */
  readonly alone?: boolean
}

/** Where a stage works. */
export interface StagePlace {
  /** The run's folder; left out for a stage that leaves nothing there. */
  readonly run?: Storage
  /** Where models lie in it; `models/` by default. */
  readonly models?: string
  /** What the stages before it offer, by the names under which it needs them. */
  readonly outputs: ReadonlyMap<string, StageOutput>
}

/** What a stage gave. */
export interface StageRun<Result> {
  readonly output: StageOutput
  readonly outcome: StageOutcome
  readonly result: Result
}

type Described<Schema extends z.ZodType> = Omit<StageOf<z.infer<Schema>>, 'uses'>

/**
 * Runs one stage over what others have made: those of a pipeline before it, or those that a dataset has. What
 * is done of the same configuration and inputs is left as it is.
 */
export function runStage<Schema extends z.ZodType>(
  kind: ShardsKind<string, Schema>,
  described: Described<Schema>,
  place: StagePlace,
  options?: StageOptions,
): Promise<StageRun<ShardSums>>
export function runStage<Schema extends z.ZodType, Result>(
  kind: OneKind<string, Schema, Result>,
  described: Described<Schema>,
  place: StagePlace,
  options?: StageOptions,
): Promise<StageRun<Result>>
export function runStage(
  kind: StageKind,
  described: Described<z.ZodType>,
  place: StagePlace,
  options?: StageOptions,
): Promise<StageRun<unknown>>
export async function runStage(
  kind: StageKind,
  described: Described<z.ZodType>,
  place: StagePlace,
  options: StageOptions = {},
): Promise<StageRun<unknown>> {
  // What is exported may go to a repository that is not there.
  const isPinned = kind.name !== 'export'
  const pinned = isPinned ? await pinHub(described.with, place.run, options.signal) : described.with
  const stage = { ...described, with: pinned, uses: kind.name }
  const start = performance.now()
  const warnings: string[] = []
  const context = stageContext(stage, place, options, (message) => warnings.push(message))
  const configHash = hashOf(kind, stage, place.outputs)
  const made =
    kind.makes === 'one'
      ? await runOne(kind, stage, configHash, context, options)
      : await runAllShards(kind, stage, configHash, context, options)
  const { nothing } = made
  const outcome = {
    ...made.outcome,
    warnings: [...warnings, ...made.warnings],
    ...(nothing !== undefined && { nothing }),
    seconds: (performance.now() - start) / 1000,
  }
  const output = { ...made.offers, name: stage.name, config: stage.with }
  return { output, outcome, result: made.result }
}

/** What a stage is run with, in this process. */
export function stageContext(
  stage: StageOf,
  { run, models = 'models/', outputs }: StagePlace,
  { signal, retryFailed, drop = false, hostLimiter, others, replace = 'other', ...events }: StageOptions,
  warn: (message: string) => void,
): StageContext {
  return {
    run,
    models,
    outputs,
    signal,
    retryFailed,
    drop,
    hostLimiter,
    others,
    replace,
    warn,
    progress: (done, total, note) => events.onProgress?.(stage, done, total, note),
    notice: (text) => events.onNotice?.(stage, text),
    trainStart: (start) => events.onTrainStart?.(stage, start),
  }
}

interface Made extends StageRemarks {
  readonly offers: Offers
  readonly result: unknown
  readonly outcome: Pick<StageOutcome, 'ran' | 'skipped' | 'failed'>
}

async function runOne(
  kind: OneKind,
  stage: StageOf,
  configHash: string,
  context: StageContext,
  options: StageOptions,
): Promise<Made> {
  options.onTaskStart?.(stage, undefined)
  const progress: StageContext['progress'] = (done, total, note) => {
    context.progress(done, total, note)
    options.onTaskProgress?.(stage, undefined, done, total)
  }
  const { offers, result, skipped } = await kind.run(stage, configHash, { ...context, progress })
  options.onTaskEnd?.(stage, undefined, { ...noSums, skipped })
  const outcome = { ran: skipped ? 0 : 1, skipped: skipped ? 1 : 0, failed: [] }
  return { offers, result, outcome, warnings: [] }
}

async function runAllShards(
  kind: ShardsKind,
  stage: StageOf,
  configHash: string,
  context: StageContext,
  options: StageOptions,
): Promise<Made> {
  const { stopAtFailure, slice, alone } = options
  const planned = await kind.plan?.(stage, configHash, context)
  if (planned) options.onPlanned?.(stage, planned.rows)
  const offers = await kind.offers(stage, context)
  const isMissing = new Set(offers.missing)
  const shards = offers.dataset.shards.filter(
    (shard, at) => !isMissing.has(shard) && (!slice || at % slice.count === slice.index),
  )
  const opened = await kind.open(stage, configHash, context)
  try {
    const watch = planned && kind.watch?.(stage, planned.rows, context.warn)
    const onProgress = context.progress
    const { signal } = context
    const { sums, ...outcome } = await runShards(opened, shards, {
      signal,
      watch,
      onProgress,
      stopAtFailure,
      onStart: (shard) => options.onTaskStart?.(stage, shard),
      onShardProgress: (shard, done, of) => options.onTaskProgress?.(stage, shard, done, of),
      onEnd: (shard, end) => options.onTaskEnd?.(stage, shard, end),
    })
    await sweepShards(offers.dataset.storage, kind.family, stage.name)
    const missing = [...offers.missing, ...outcome.failed.map(({ shard }) => shard)]
    const { name, storage } = offers.dataset
    const { nothing, warnings } = await remarksOn(
      {
        stage,
        kind,
        dataset: { name, storage, shards },
        sums,
        proposals: proposalsFor(stage, context.outputs),
        alone,
      },
      outcome,
    )
    return {
      ...{ offers: { ...offers, missing }, result: sums, outcome, warnings },
      // Of what other slices make nothing is known.
      ...(nothing !== undefined && !slice && { nothing }),
    }
  } finally {
    await opened.close()
  }
}

/** The proposals that a filter is given. */
export const proposalsFor = ({ needs }: StageOf, outputs: StagePlace['outputs']): string | undefined =>
  needs.map((name) => outputs.get(name)?.proposals).find((proposals) => proposals !== undefined)

/**
 * Hash of what decides a stage's results. Keys that only say how fast to work are left out, and so is the
 * path of a model, whose content is among the inputs. The name of a stage that makes a model stays.
 */
export function hashOf(
  { notHashed, modelKeys = [] }: StageKind,
  stage: StageOf,
  outputs: StagePlace['outputs'],
): string {
  const isHashed = ([key, value]: [string, unknown]) =>
    !notHashed.includes(key) && !(modelKeys.includes(key) && !outputs.has(String(value)))
  return hashJson(Object.fromEntries(Object.entries(stage.with as object).filter(isHashed)))
}
