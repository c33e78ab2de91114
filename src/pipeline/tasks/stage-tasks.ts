import { familyFolder, shardObject } from '../../rows/family-path.js'
import { readCommit } from '../../shards/commit.js'
import { isDataset, readDataset } from '../../shards/dataset.js'
import { openStorage } from '../../storage/open-storage.js'
import type { Storage } from '../../storage/storage.js'
import { kindOf, type Pipeline, type Stage } from '../stages/pipeline-config.js'
import type { ShardsKind } from '../stages/stage-kind.js'

/** What a run's storage says of the tasks of a stage. */
export interface StageTasks {
  readonly stage: Stage
  /** Names of the shards that there will be; undefined of a stage of one task, and before they are planned. */
  readonly shards?: ReadonlySet<string> | undefined
  /** Those that have a record. */
  readonly done?: ReadonlySet<string> | undefined
  /** Whether all of it is there; undefined where that does not lie in the run. */
  readonly isDone?: boolean | undefined
  /** Mean seconds of a task, by the records of some that were made. */
  readonly meanSeconds?: number | undefined
}

/** Records that are read of each stage to know how long its tasks take. */
const sampled = 8
/** A stage that is done is looked at again every so many times. */
const doneLooks = 10

/** Reads how far the stages of a run are, again and again: what does not change is not asked for again. */
export interface StageReader {
  read(pipeline: Pipeline): Promise<ReadonlyMap<string, StageTasks>>
}

/**
 * A reader of the tasks of a run: for each stage one list, for each dataset one read, and a few records. A
 * shard with a record counts as done, whatever that was made of.
 */
export function stageReader(run: Storage): StageReader {
  const known = new Map<string, { readonly tasks: StageTasks; looks: number }>()
  const times = new Map<string, { readonly seconds: number[]; readonly asked: Set<string> }>()
  const datasetOf = (name: string) => openStorage(run.path(name))

  const shardTasks = async (
    pipeline: Pipeline,
    stage: Stage,
    kind: ShardsKind,
    shardsOf: (ingest: string) => Promise<ReadonlySet<string> | undefined>,
  ): Promise<StageTasks> => {
    const ingest = ingestOf(pipeline, stage)
    if (ingest === undefined) return { stage }
    const shards = await shardsOf(ingest)
    if (!shards) return { stage, done: new Set() }
    const storage = datasetOf(ingest)
    const done = new Set<string>()
    for (const name of await storage.list(familyFolder(kind.family, stage.name))) {
      const object = shardObject(name)
      if (object?.kind === 'record' && shards.has(object.shard)) done.add(object.shard)
    }
    const meanSeconds = await timesOf(storage, kind, stage, [...done])
    return { stage, shards, done, isDone: done.size === shards.size, meanSeconds }
  }

  /** Reads a few records, each once, spread over those that are there. */
  const timesOf = async (storage: Storage, kind: ShardsKind, stage: Stage, done: readonly string[]) => {
    const time = times.get(stage.name) ?? { seconds: [], asked: new Set() }
    times.set(stage.name, time)
    const more = sampled - time.seconds.length
    for (let pick = 0; pick < more && pick < done.length; pick++) {
      const shard = done[Math.floor(((pick + 0.5) * done.length) / Math.min(more, done.length))]
      if (shard === undefined || time.asked.has(shard)) continue
      time.asked.add(shard)
      const record = await readCommit(storage, kind.family, stage.name, shard).catch(() => undefined)
      if (record) time.seconds.push(record.seconds)
    }
    if (time.seconds.length === 0) return undefined
    return time.seconds.reduce((sum, seconds) => sum + seconds, 0) / time.seconds.length
  }

  const tasksOf = async (
    pipeline: Pipeline,
    stage: Stage,
    shardsOf: (ingest: string) => Promise<ReadonlySet<string> | undefined>,
  ): Promise<StageTasks> => {
    const kind = kindOf(stage)
    if (kind.makes === 'shards') return shardTasks(pipeline, stage, kind, shardsOf)
    const record = kind.record(stage)
    return { stage, isDone: record === undefined ? undefined : await run.exists(record) }
  }

  return {
    async read(pipeline) {
      const planned = new Map<string, Promise<ReadonlySet<string> | undefined>>()
      const shardsOf = (ingest: string) => {
        const asked = planned.get(ingest) ?? plannedShards(datasetOf(ingest))
        planned.set(ingest, asked)
        return asked
      }
      const all = new Map<string, StageTasks>()
      for (const stage of pipeline.stages) {
        const before = known.get(stage.name)
        const isSettled = before?.tasks.isDone === true && before.looks < doneLooks
        const tasks = isSettled ? before.tasks : await tasksOf(pipeline, stage, shardsOf)
        known.set(stage.name, { tasks, looks: isSettled ? before.looks + 1 : 0 })
        all.set(stage.name, tasks)
      }
      return all
    },
  }
}

/** The ingest stage whose shards a stage makes: its own, or that of the stages it needs. */
export function ingestOf(pipeline: Pick<Pipeline, 'stages'>, stage: Stage): string | undefined {
  if (stage.uses === 'ingest') return stage.name
  // The sets that are compared with are others' shards.
  const except: readonly string[] = stage.uses === 'dedup' ? stage.with.against : []
  for (const name of stage.needs) {
    const needed = pipeline.stages.find((one) => one.name === name)
    if (!needed || except.includes(name) || kindOf(needed).makes !== 'shards') continue
    const ingest = ingestOf(pipeline, needed)
    if (ingest !== undefined) return ingest
  }
  return undefined
}

/** Undefined where the dataset is not there yet. */
async function plannedShards(dataset: Storage): Promise<ReadonlySet<string> | undefined> {
  return (await isDataset(dataset)) ? new Set((await readDataset(dataset)).shards) : undefined
}
