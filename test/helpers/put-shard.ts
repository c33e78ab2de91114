import { createHash } from 'node:crypto'
import { familyFolder, recordPath } from '../../src/rows/family-path.js'
import type { Families, Family } from '../../src/rows/rows.js'
import { textOf } from '../../src/shards/commit.js'
import { commitShard } from '../../src/shards/commit-shard.js'
import { ShardFiles } from '../../src/shards/shard-files.js'
import { recordOf } from '../../src/shards/shard-task.js'
import type { ShardFile } from '../../src/shards/write-shard.js'
import { emptyStats } from '../../src/statistics/stats.js'
import type { Storage } from '../../src/storage/storage.js'

/** Makes a shard of one family with a record of its own, whatever was there; its file. */
export async function putShard<F extends Family>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
  inputs: Readonly<Record<string, string>> = {},
): Promise<ShardFile> {
  const task = { storage, stage: stage ?? 'made', shard, configHash: 'put', inputs }
  const files = new ShardFiles(task)
  try {
    const file = await files.write(family, rows)
    const sums = { unit: 'rows', in: file.rows, out: file.rows, rejected: {}, stats: emptyStats }
    // Rejects have no record of their own.
    const beside = family === 'rejects' ? { selection: await files.write('selection', []) } : {}
    const main = family === 'rejects' ? 'selection' : family
    const record = recordOf({ files: { ...beside, [family]: file }, ...sums }, task, main, 0)
    await commitShard(task, record, files, () => true)
    return file
  } finally {
    await files.discard()
  }
}

/** Where versions before 2 of a record have the file of a shard. */
export const oldPath = (family: Family, stage: string | null, shard: string) =>
  `${familyFolder(family, stage)}/${shard}.parquet`

/** Writes a record for the file that lies at `oldPath`, as older versions did; its path in the dataset. */
export async function adoptFile(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<string> {
  const path = oldPath(family, stage, shard)
  const bytes = (await storage.read(path)) ?? new Uint8Array()
  const file = {
    path,
    rows: 0,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  }
  const task = { storage, stage: stage ?? 'made', shard, configHash: 'put', inputs: {} }
  const sums = { unit: 'rows', in: 0, out: 0, rejected: {}, stats: emptyStats }
  const record = { ...recordOf({ files: { [family]: file }, ...sums }, task, family, 0), version: 1 as const }
  await storage.write(recordPath(family, stage, shard), textOf(record))
  return path
}
