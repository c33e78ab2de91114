import { setTimeout as delay } from 'node:timers/promises'
import { explainError } from '../base/explain-error.js'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { openStorage } from '../storage/storage.js'
import { type Pipeline, type Stage, uses } from './config.js'
import { runDedup } from './run-dedup.js'
import { runExport } from './run-export.js'
import { runIngest } from './run-ingest.js'
import { runEvaluate, runTrain } from './run-models.js'
import { runPromote } from './run-promote.js'
import { runChunk, runFilter, runTeach } from './run-shards.js'
import type { StageContext, StageOutput } from './stage-context.js'

/** What the runner tells of its work. */
export interface RunEvents {
  onStageStart?(stage: Stage): void
  /** Units done of all: pairs, rows, steps, images. */
  onProgress?(stage: Stage, done: number, total: number, note?: string): void
  /** What a user should know while a stage goes on, such as which device was found. */
  onNotice?(stage: Stage, text: string): void
  onStageEnd?(stage: Stage, outcome: StageOutcome): void
}

/** What became of a stage. */
export interface StageOutcome {
  /** Tasks done now, and those that an earlier run had done. */
  readonly ran: number
  readonly skipped: number
  /** Shards set aside, with their errors. */
  readonly failed: readonly { readonly shard: string; readonly error: string }[]
  /** What the user should know though the work went on. */
  readonly warnings: readonly string[]
  readonly seconds: number
}

export interface RunOptions extends RunEvents {
  readonly signal?: AbortSignal
  /** Stages to run, and what they need; all by default. */
  readonly only?: readonly string[]
  /** Reasons for which rejected rows are fetched again in shards that are there. */
  readonly retryFailed?: (reason: string) => boolean
}

export interface RunResult {
  readonly outcomes: ReadonlyMap<string, StageOutcome>
  readonly failed: number
}

const tries = 3

/**
 * Runs a pipeline in this process, stage after stage, into the folder `url`. What is already made of the same
 * configuration and inputs is left as it is, so a run that was stopped at any instant goes on where it was.
 */
export async function runPipeline(
  pipeline: Pipeline,
  url: string,
  options: RunOptions = {},
): Promise<RunResult> {
  const run = openStorage(url)
  const outputs = new Map<string, StageOutput>()
  const outcomes = new Map<string, StageOutcome>()
  const wanted = options.only && withNeeds(pipeline, options.only)
  for (const stage of pipeline.stages) {
    if (wanted && !wanted.has(stage.name)) continue
    options.signal?.throwIfAborted()
    options.onStageStart?.(stage)
    const start = performance.now()
    const failed: { shard: string; error: string }[] = []
    const warnings: string[] = []
    let [ran, skipped] = [0, 0]
    const context: StageContext = {
      run,
      outputs,
      signal: options.signal,
      retryFailed: options.retryFailed,
      warn: (message) => warnings.push(message),
      progress: (done, total, note) => options.onProgress?.(stage, done, total, note),
      notice: (text) => options.onNotice?.(stage, text),
      count: (wasThere) => {
        if (wasThere) skipped++
        else ran++
      },
      async attempt(shard, work) {
        try {
          context.count((await retried(work, options.signal)).skipped)
          return true
        } catch (error) {
          options.signal?.throwIfAborted()
          failed.push({ shard, error: explainError(error).message })
          return false
        }
      },
    }
    const output = await runStage(stage, context)
    outputs.set(stage.name, output)
    const outcome = { ran, skipped, failed, warnings, seconds: (performance.now() - start) / 1000 }
    outcomes.set(stage.name, outcome)
    options.onStageEnd?.(stage, outcome)
  }
  const failed = [...outcomes.values()].reduce((sum, outcome) => sum + outcome.failed.length, 0)
  return { outcomes, failed }
}

/** Work that failed for a reason that may pass is tried again; what the user must mend is not. */
async function retried<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const mustBeMended = explainError(error) instanceof UserError
      if (signal?.aborted || mustBeMended || attempt === tries) throw error
      await delay(500 * 2 ** attempt, undefined, { signal })
    }
  }
}

function runStage(stage: Stage, context: StageContext): Promise<StageOutput> {
  const configHash = hashOf(stage)
  switch (stage.uses) {
    case 'ingest':
      return runIngest(stage, configHash, context)
    case 'dedup':
      return runDedup(stage, configHash, context)
    case 'chunk':
      return runChunk(stage, configHash, context)
    case 'teach':
      return runTeach(stage, configHash, context)
    case 'filter':
      return runFilter(stage, configHash, context)
    case 'train':
      return runTrain(stage, configHash, context)
    case 'evaluate':
      return runEvaluate(stage, configHash, context)
    case 'export':
      return runExport(stage, context)
    case 'promote':
      return runPromote(stage, configHash, context)
  }
}

/** Hash of what decides a stage's results; how fast and from where it works is left out. */
function hashOf(stage: Stage): string {
  const left = new Set<string>(uses[stage.uses].notHashed)
  return hashJson(Object.fromEntries(Object.entries(stage.with).filter(([key]) => !left.has(key))))
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
