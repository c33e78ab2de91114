import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import { explainError } from '../base/explain-error.js'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import type { Storage } from '../storage/storage.js'
import type { TrainStart } from '../train/train-task.js'
import type { StageContext, StageOf, StageOutput } from './stages/stage-context.js'
import type { StageKind } from './stages/stage-kind.js'

/** What a stage tells of its work. */
export interface StageEvents {
  /** Units done of all: pairs, rows, steps, images. */
  onProgress?(stage: StageOf, done: number, total: number, note?: string): void
  /** What a user should know while a stage goes on, such as which device was found. */
  onNotice?(stage: StageOf, text: string): void
  /** Before the first step of a training that starts from something. */
  onTrainStart?(stage: StageOf, start: TrainStart): void
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

export interface StageOptions extends StageEvents {
  readonly signal?: AbortSignal
  /** Reasons for which rejected rows are fetched again in shards that are there. */
  readonly retryFailed?: (reason: string) => boolean
  /** Whether a shard that keeps failing ends the stage with its error, in place of being set aside. */
  readonly stopAtFailure?: boolean
  /** Which folder of an earlier export may be replaced; one of other data by default. */
  readonly replace?: StageContext['replace']
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

/** How often the work of a shard is tried. */
const maxAttempts = 3

/**
 * Runs one stage over what others have made: those of a pipeline before it, or those that a dataset has. What
 * is done of the same configuration and inputs is left as it is.
 */
export async function runStage<Schema extends z.ZodType, Result>(
  kind: StageKind<string, Schema, Result>,
  described: Omit<StageOf<z.infer<Schema>>, 'uses'>,
  place: StagePlace,
  options: StageOptions = {},
): Promise<{ readonly output: StageOutput; readonly outcome: StageOutcome; readonly result: Result }> {
  const stage = { ...described, uses: kind.name }
  const start = performance.now()
  const failed: { shard: string; error: string }[] = []
  const warnings: string[] = []
  let ran = 0
  let skipped = 0
  const { signal, retryFailed, replace = 'other' } = options
  const context: StageContext = {
    run: place.run,
    models: place.models ?? 'models/',
    outputs: place.outputs,
    signal,
    retryFailed,
    replace,
    warn: (message) => warnings.push(message),
    progress: (done, total, note) => options.onProgress?.(stage, done, total, note),
    notice: (text) => options.onNotice?.(stage, text),
    trainStart: (start) => options.onTrainStart?.(stage, start),
    count: (isSkipped) => {
      if (isSkipped) skipped++
      else ran++
    },
    async attempt(shard, work) {
      try {
        context.count((await retried(work, signal)).skipped)
        return true
      } catch (error) {
        signal?.throwIfAborted()
        if (options.stopAtFailure) throw error
        failed.push({ shard, error: explainError(error).message })
        return false
      }
    },
  }
  const { offers, result } = await kind.run(stage, hashOf(kind, stage, place.outputs), context)
  const outcome = { ran, skipped, failed, warnings, seconds: (performance.now() - start) / 1000 }
  return { output: { ...offers, name: stage.name, config: stage.with }, outcome, result }
}

/**
 * Hash of what decides a stage's results. Keys that only say how fast to work are left out, and so is the
 * path of a model, whose content is among the inputs. The name of a stage that makes a model stays.
 */
function hashOf(
  { notHashed, modelKeys = [] }: StageKind,
  stage: StageOf,
  outputs: StagePlace['outputs'],
): string {
  const isHashed = ([key, value]: [string, unknown]) =>
    !notHashed.includes(key) && !(modelKeys.includes(key) && !outputs.has(String(value)))
  return hashJson(Object.fromEntries(Object.entries(stage.with as object).filter(isHashed)))
}

/** Tries work again after a pause; not where it was aborted or the user must mend something. */
async function retried<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const isUserError = explainError(error) instanceof UserError
      if (signal?.aborted || isUserError || attempt === maxAttempts) throw error
      await delay(500 * 2 ** attempt, undefined, { signal })
    }
  }
}
