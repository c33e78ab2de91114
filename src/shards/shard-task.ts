import { type CommitRecord, readCommit } from './commit.js'
import { familyPath } from './family-path.js'
import type { Family } from './rows.js'
import type { ShardStats } from './stats.js'
import type { Storage } from './storage.js'
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
  readonly stats: ShardStats
}

export interface ShardResult {
  readonly record: CommitRecord
  /** True where an earlier run had made the same. */
  readonly skipped: boolean
}

/**
 * Makes a shard unless its record already carries the same configuration and inputs, then commits it: the files
 * first (each whole or absent), the records of the families beside the main one, the main record last. A program
 * killed at any instant leaves the shard as it was or not there.
 */
export async function runShardTask(
  task: ShardTask,
  family: Family,
  work: () => Promise<ShardOutput>,
): Promise<ShardResult> {
  const { storage, stage, shard } = task
  const made = await readCommit(storage, family, stage, shard)
  if (made && isSame(made, task)) return { record: made, skipped: true }
  // The old record goes before its files change, so that no record ever speaks of other bytes.
  for (const other of [family, ...(Object.keys(made?.files ?? {}) as Family[])]) {
    await storage.remove(familyPath(other, stage, shard, 'json'))
  }

  const start = performance.now()
  const output = await work()
  task.signal?.throwIfAborted()
  checkSums(output, task)
  const record: CommitRecord = {
    version: 1,
    stage,
    family,
    main: family,
    shard,
    configHash: task.configHash,
    inputs: task.inputs,
    ...output,
    seconds: Math.round(performance.now() - start) / 1000,
    createdAt: new Date().toISOString(),
  }
  const beside = (Object.keys(output.files) as Family[]).filter(
    (other) => other !== family && other !== 'rejects',
  )
  for (const other of beside) await writeRecord(storage, { ...record, family: other })
  await writeRecord(storage, record)
  return { record, skipped: false }
}

function isSame(record: CommitRecord, task: ShardTask): boolean {
  const names = Object.keys(task.inputs)
  return (
    record.configHash === task.configHash &&
    names.length === Object.keys(record.inputs).length &&
    names.every((name) => record.inputs[name] === task.inputs[name])
  )
}

function checkSums(output: ShardOutput, { stage, shard }: ShardTask) {
  const rejected = Object.values(output.rejected).reduce((sum, count) => sum + count, 0)
  if (output.in !== output.out + rejected) {
    throw new Error(
      `stage ${stage}, shard ${shard}: ${output.in} ${output.unit} in, ${output.out} out and ${rejected} rejected do not add up`,
    )
  }
}

async function writeRecord(storage: Storage, record: CommitRecord) {
  const name = familyPath(record.family, record.stage, record.shard, 'json')
  await storage.write(name, `${JSON.stringify(record, null, 1)}\n`)
}
