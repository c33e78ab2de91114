import { LruCache } from '../../base/lru-cache.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { LockedError } from '../../storage/lock.js'
import { openStorage } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import { kindOf, type Pipeline, type Stage } from '../stages/pipeline-config.js'
import type { StageOutput } from '../stages/stage-context.js'
import type { OpenStage, ShardsKind } from '../stages/stage-kind.js'
import { findOutput, outputOfStage } from './find-output.js'
import { hashOf, runStage, type StageOptions, type StagePlace, stageContext } from './run-stage.js'
import { noSums, type ShardSums, sumsOfRecord } from './shard-sums.js'
import { stagesBehind, stagesNeeded } from './stages-behind.js'
import { readStoredPipeline } from './stored-pipeline.js'
import type { RunTask, Task, TaskOptions, TaskResult } from './task.js'
import { StageError } from './task-error.js'

/** Stages that stay open for their next shards, with their models: those from a crawl to its labels. */
const mostOpen = 4

/** What makes tasks in this process. */
export interface TaskRunner {
  readonly run: RunTask
  /** Closes the stages that are open. Returns what they still had to say. */
  close(): Promise<readonly string[]>
}

/** A run of a pipeline that tasks have come from. */
interface Session {
  readonly run: Storage
  readonly pipeline: Pipeline
  /** What stages offer that are done, or whose shards are known. */
  readonly outputs: Map<string, Promise<StageOutput>>
}

/**
 * Makes tasks one at a time. A stage is opened for its first shard and stays open for the next ones; of those
 * that are, the one that was not used for longest is closed.
 *
 * @param options.hostLimiter what crawls are kept polite by, with those of other processes
 */
export function openTaskRunner({ hostLimiter }: Pick<StageOptions, 'hostLimiter'> = {}): TaskRunner {
  let session: { readonly key: string; readonly opened: () => Promise<Session> } | undefined
  const warnings: string[] = []
  const closing: Promise<void>[] = []
  const open = new LruCache<string, Promise<OpenStage>>({
    maxSize: mostOpen,
    onEvict: (stage) => {
      closing.push(
        stage.then(
          (opened) => opened.close(),
          () => {},
        ),
      )
    },
  })
  const closeAll = async () => {
    open.clear()
    await Promise.all(closing.splice(0))
  }
  const sessionOf = async (task: Task): Promise<Session> => {
    const key = [task.run, task.pipeline, task.session].join('\n')
    if (session?.key !== key) {
      // Sources and models may be others in the next run: nothing of this one is kept.
      await closeAll()
      session = { key, opened: memoize(() => openSession(task)) }
    }
    return session.opened()
  }
  const openedStage = async (
    own: Session,
    kind: ShardsKind,
    stage: Stage,
    task: Task,
    { onNotice }: TaskOptions,
  ): Promise<OpenStage> => {
    const known = open.get(stage.name)
    if (known) return known
    const { run } = own
    const outputs = await outputsBehind(own, stage, task)
    const options = {
      retryFailed: task.retry,
      drop: task.drop,
      hostLimiter,
      onNotice: (_: unknown, text: string) => onNotice?.(text),
    }
    const context = stageContext(stage, { run, outputs }, options, (text) => warnings.push(text))
    const opened = kind.open(stage, hashOf(kind, stage, outputs), context)
    open.set(stage.name, opened)
    try {
      return await opened
    } catch (error) {
      open.delete(stage.name)
      const isWrong = error instanceof UserError && !(error instanceof LockedError)
      throw isWrong ? new StageError(error.message, { cause: error }) : error
    } finally {
      await Promise.all(closing.splice(0))
    }
  }
  return {
    async run(task, options) {
      const own = await sessionOf(task)
      const stage = stageOf(own.pipeline, task.stage)
      const kind = kindOf(stage)
      const { shard } = task
      if (kind.makes === 'shards' && shard !== undefined) {
        const opened = await openedStage(own, kind, stage, task, options)
        const { signal } = options
        const total = await opened.rows(shard)
        const onProgress = (done: number) => options.onProgress?.(done, total ?? 0)
        const { record, skipped, tried } = await opened.make(shard, { signal, onProgress })
        const result = resultOf(skipped, sumsOfRecord(record), [], warnings.splice(0))
        return tried ? { ...result, tried: sumsOfRecord(tried) } : result
      }
      const { outcome, result } = await runStage(
        kind,
        stage,
        { run: own.run, outputs: await outputsBehind(own, stage, task) },
        {
          signal: options.signal,
          retryFailed: task.retry,
          drop: task.drop,
          hostLimiter,
          onProgress: (_, done, total, note) => options.onProgress?.(done, total, note),
          onNotice: (_, text) => options.onNotice?.(text),
        },
      )
      const sums = kind.makes === 'shards' ? (result as ShardSums) : noSums
      return resultOf(outcome.ran === 0 && outcome.failed.length === 0, sums, outcome.failed, [
        ...warnings.splice(0),
        ...outcome.warnings,
      ])
    },
    async close() {
      await closeAll()
      return warnings.splice(0)
    },
  }
}

const resultOf = (
  skipped: boolean,
  sums: ShardSums,
  failed: TaskResult['failed'],
  warnings: readonly string[],
): TaskResult => ({ skipped, ...sums, failed, warnings })

async function openSession({ run: url, pipeline: hash }: Task): Promise<Session> {
  const run = openStorage(url)
  return { run, pipeline: await readStoredPipeline(run, hash), outputs: new Map() }
}

function stageOf({ name, stages }: Pipeline, wanted: string): Stage {
  const stage = stages.find((one) => one.name === wanted)
  if (!stage) throw new Error(`the pipeline ${name} has no stage "${wanted}"`)
  return stage
}

/** What the stages offer that a stage is made of, without running any of them. */
async function outputsBehind(
  session: Session,
  stage: Stage,
  { missing = {} }: Pick<Task, 'missing'>,
): Promise<ReadonlyMap<string, StageOutput>> {
  const { run, pipeline } = session
  const outputs = new Map<string, StageOutput>()
  const needed = new Set(stagesNeeded(pipeline, stage))
  for (const behind of stagesBehind(pipeline, stage)) {
    let found = session.outputs.get(behind.name)
    if (!found) {
      found = madeOutput(behind, { run, outputs })
      session.outputs.set(behind.name, found)
      // What is not there yet is looked for again.
      found.catch(() => session.outputs.delete(behind.name))
    }
    try {
      outputs.set(behind.name, { ...(await found), missing: missing[behind.name] ?? [] })
    } catch (error) {
      // A word of the configuration that happens to be the name of a stage, which need not have run.
      if (needed.has(behind)) throw error
    }
  }
  return outputs
}

async function madeOutput(stage: Stage, place: StagePlace): Promise<StageOutput> {
  const found = await findOutput(stage, place)
  if (found) return found
  const kind = kindOf(stage)
  // What leaves no record in the run offers nothing either.
  if (kind.makes === 'one' && kind.record(stage) === undefined) return outputOfStage(stage, { missing: [] })
  throw new Error(`what "${stage.name}" makes is not there, or was made of something else`)
}
