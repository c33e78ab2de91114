import { programVersion } from '../base/files/program-version.js'
import { families, recordPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import type { ShardStats } from '../statistics/stats.js'
import { addsUp, type CommitRecord, readCommit, readStored, recordVersion, sumsOf } from './commit.js'
import { commitShard, isWhole, namesake } from './commit-shard.js'
import { ShardFiles, type WriteFamily } from './shard-files.js'
import type { ShardPlace } from './shard-place.js'
import type { ShardFile } from './write-shard.js'

/** One shard of one stage to be made. */
export interface ShardTask extends ShardPlace {
  readonly configHash: string
  readonly inputs: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The place of its stage among those of the dataset, asked when the shard is made (`stageOrder`). */
  readonly order?: () => Promise<number>
  /**
   * Whether the inputs still are those. Asked when all is made of them: another may have replaced them while
   * they were read.
   */
  readonly isCurrent?: () => Promise<boolean>
  /** Whether a shard that is there, and was made of something else, may go for the one that was made now. */
  readonly mayReplace?: (made: CommitRecord, own: CommitRecord) => boolean
  /** Told how many rows of this shard are done. */
  readonly onProgress?: (rows: number) => void
  /** Milliseconds of work that a kill may lose, where rows of a shard are kept before all are made (`rowParts`). */
  readonly keepEvery?: number
}

/** What making a shard gave. */
export interface ShardOutput {
  readonly files: Readonly<Partial<Record<Family, ShardFile>>>
  readonly unit: string
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  /** Of what came out, count by the rule that gave it another label; absent where none did. */
  readonly relabelled?: Readonly<Record<string, number>>
  readonly stats: ShardStats
  /** What of the stage's configuration readers of the dataset want to know. */
  readonly config?: Readonly<Record<string, unknown>>
}

export interface ShardResult {
  readonly record: CommitRecord
  /** True where the shard is not the one of this task's work: it was there already. */
  readonly skipped: boolean
  /** What the work gave where `mayReplace` said no. */
  readonly tried?: CommitRecord
}

/**
 * Makes a shard unless its record already carries the same configuration and inputs, then commits it
 * (`commitShard`). Until then the shard stays as it was, whatever happens to the program; and where another
 * process has made the same in the meantime, or `mayReplace` says no, what is there stays.
 *
 * @param work makes the shard's files with `write`
 * @throws UserError where another stage of the dataset has the same name; an Error where the inputs were replaced
 *   while they were read, which trying again mends
 */
export async function runShardTask(
  task: ShardTask,
  family: Family,
  work: (write: WriteFamily) => Promise<ShardOutput>,
): Promise<ShardResult> {
  const { storage } = task
  const made = await readCommit(storage, family, task.stage, task.shard)
  if (made && isSame(made, task)) return { record: made, skipped: true }
  await refuseNamesake(task, family)

  const start = performance.now()
  const files = new ShardFiles(task)
  try {
    const output = await work(files.write)
    task.signal?.throwIfAborted()
    checkOutput(output, task, family)
    if (task.isCurrent && !(await task.isCurrent()))
      throw new Error(
        `${storage.url}: what shard ${task.shard} of stage "${task.stage}" is made of was replaced while it was read.`,
      )
    const order = await task.order?.()
    const seconds = (performance.now() - start) / 1000
    const own = { ...recordOf(output, task, family, seconds), ...(order !== undefined && { order }) }
    const { record = own, isOwn } = await commitShard(task, own, files, async (now) => {
      const stays = now && (isSame(now.record, task) || task.mayReplace?.(now.record, own) === false)
      return !(stays && (await isWhole(storage, now.record)))
    })
    return { record, skipped: !isOwn, ...(!isOwn && !isSame(record, task) && { tried: own }) }
  } finally {
    await files.discard()
  }
}

/** The record of what a task has made. */
export function recordOf(
  output: ShardOutput,
  { stage, shard, configHash, inputs }: ShardTask,
  family: Family,
  seconds: number,
): CommitRecord {
  return {
    version: recordVersion,
    stage,
    family,
    main: family,
    shard,
    configHash,
    inputs,
    ...output,
    seconds: Math.round(seconds * 1000) / 1000,
    software: `groundmill ${programVersion}`,
    createdAt: new Date().toISOString(),
  }
}

/** Whether a shard was made of the task's configuration and inputs. */
export function isSame(record: CommitRecord, task: ShardTask): boolean {
  const names = Object.keys(task.inputs)
  return (
    record.stage === task.stage &&
    record.configHash === task.configHash &&
    names.length === Object.keys(record.inputs).length &&
    names.every((name) => record.inputs[name] === task.inputs[name])
  )
}

/** Throws where a stage of this name makes shards of another family. */
async function refuseNamesake({ storage, stage, shard }: ShardTask, family: Family) {
  for (const other of families) {
    const stored = await readStored(storage, recordPath(other, stage, shard))
    if (stored && stored.main !== family && stored.stage === stage) throw namesake(storage, stored, family)
  }
}

/** Guards the promises that every reader of a dataset relies on. */
export function checkOutput(output: ShardOutput, { stage, shard }: ShardTask, family: Family) {
  const where = `stage ${stage}, shard ${shard}`
  if (!addsUp(output)) throw new Error(`${where}: ${sumsOf(output)}`)
  const main = output.files[family]
  if (!main) throw new Error(`${where}: there is no file of ${family}`)
  for (const other of families) {
    const file = output.files[other]
    if (file && other !== 'rejects' && file.rows !== main.rows) {
      throw new Error(`${where}: ${file.rows} rows of ${other} beside ${main.rows} of ${family}`)
    }
  }
}
