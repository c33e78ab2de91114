import { recordPath } from '../../src/rows/family-path.js'
import type { Family, PhraseRow } from '../../src/rows/rows.js'
import { type CommitRecord, textOf } from '../../src/shards/commit.js'
import { emptyStats } from '../../src/statistics/stats.js'
import type { Storage } from '../../src/storage/storage.js'

export const shard = '00000'

export const phraseRows = (...keys: readonly string[]): PhraseRow[] =>
  keys.map((key) => ({ key, phrases: [] }))

/** The record of a shard of phrases, or of another family, that has no file unless one is given. */
export function recordWith(changes: Partial<CommitRecord> = {}): CommitRecord {
  const family = changes.family ?? 'phrases'
  return {
    ...{ version: 2, stage: 'chunk', family, main: family, shard, configHash: 'c1', inputs: {}, files: {} },
    ...{ unit: 'rows', in: 0, out: 0, rejected: {}, stats: emptyStats, seconds: 0 },
    createdAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  }
}

/** Writes a record where it belongs. */
export async function putRecord(
  storage: Storage,
  changes: Partial<CommitRecord> = {},
): Promise<CommitRecord> {
  const record = recordWith(changes)
  await storage.write(recordPath(record.family, record.stage, record.shard), textOf(record))
  return record
}

/** A file as a record names it, of which there is nothing. */
export const fileAt = (path: string, rows = 1) => ({ path, rows, bytes: 1, sha256: 'ab'.repeat(32) })

/** A family's file under the name that its content gives. */
export const fileOf = (family: Family, digits: string, stage = 'chunk') =>
  fileAt(`${family === 'images' ? family : `${family}/${stage}`}/${shard}-${digits.repeat(16)}.parquet`)
