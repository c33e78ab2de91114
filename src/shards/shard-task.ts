import { UserError } from '../base/user-error.js'
import { families, familyPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import type { ShardStats } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'
import { addsUp, type CommitRecord, readCommit, readRecord, sumsOf } from './commit.js'
import type { ShardFile } from './write-shard.js'

/** One shard of one stage to be made. */
export interface ShardTask {
  readonly storage: Storage
  readonly stage: string
  readonly shard: string
  readonly configHash: string
  readonly inputs: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Told how many rows of this shard are done. */
  readonly onProgress?: (rows: number) => void
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
  /** True where an earlier run had made the same. */
  readonly skipped: boolean
}

/**
 * Makes a shard unless its record already carries the same configuration and inputs, then commits it: the
 * files first (each whole or absent), the records of the families beside the main one, the main record last,
 * with which all of them begin to exist. A program killed at any instant leaves the shard as it was or not
 * there.
 *
 * @throws UserError where another stage of the dataset has the same name
 */
export async function runShardTask(
  task: ShardTask,
  family: Family,
  work: () => Promise<ShardOutput>,
): Promise<ShardResult> {
  const { storage, stage, shard } = task
  const made = await readCommit(storage, family, stage, shard)
  if (made && isSame(made, task)) return { record: made, skipped: true }
  await clear(task, family)

  const start = performance.now()
  const output = await work()
  task.signal?.throwIfAborted()
  checkOutput(output, task, family)
  const seconds = (performance.now() - start) / 1000
  return { record: await writeRecords(output, task, family, seconds), skipped: false }
}

/** Commits a shard whose files are there: the records beside the main one first. */
export async function writeRecords(
  output: ShardOutput,
  { storage, stage, shard, configHash, inputs }: ShardTask,
  family: Family,
  seconds: number,
): Promise<CommitRecord> {
  const record: CommitRecord = {
    version: 1,
    stage,
    family,
    main: family,
    shard,
    configHash,
    inputs,
    ...output,
    seconds: Math.round(seconds * 1000) / 1000,
    createdAt: new Date().toISOString(),
  }
  const beside = (Object.keys(output.files) as Family[]).filter(
    (other) => other !== family && other !== 'rejects',
  )
  for (const other of beside) await writeRecord(storage, { ...record, family: other })
  await writeRecord(storage, record)
  return record
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

/**
 * Removes what earlier runs of the task left, whole or half. The main record goes first, and every record
 * before any file, so that no record ever speaks of other bytes.
 */
async function clear({ storage, stage, shard }: ShardTask, family: Family) {
  const own: Family[] = [family]
  for (const other of families) {
    if (other === family) continue
    const record = await readRecord(storage, familyPath(other, stage, shard, 'json'))
    const isOther = record && record.main !== family
    if (isOther && record.stage === stage) {
      throw new UserError(
        `${storage.url}: the stage "${stage}" already made the ${record.main} of shard ${shard}: give the stage that makes ${family} another name.`,
      )
    }
    // Images are in no stage's folder: they are ingest's alone.
    if (!isOther && other !== 'images') own.push(other)
  }
  for (const other of own) await storage.remove(familyPath(other, stage, shard, 'json'))
  for (const other of own) {
    for (const extension of ['parquet', 'json'] as const) {
      await storage.sweep(familyPath(other, stage, shard, extension))
    }
    await storage.remove(familyPath(other, stage, shard, 'parquet'))
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

/** Writes a record beside its file. */
export async function writeRecord(storage: Storage, record: CommitRecord) {
  const name = familyPath(record.family, record.stage, record.shard, 'json')
  await storage.write(name, `${JSON.stringify(record, null, 1)}\n`)
}
