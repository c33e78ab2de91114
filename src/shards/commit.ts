import { UserError } from '../user-error.js'
import { familyPath } from './family-path.js'
import type { Family } from './rows.js'
import type { ShardStats } from './stats.js'
import type { Storage } from './storage.js'
import type { ShardFile } from './write-shard.js'

/**
 * The record beside a shard's file, written last: a file without a record does not exist. It says what the shard was
 * made of, so that a task whose inputs and configuration are unchanged need not run again.
 */
export interface CommitRecord {
  readonly version: 1
  readonly stage: string
  readonly family: Family
  /** The family that the task was for; others that it wrote beside it name it here. */
  readonly main: Family
  readonly shard: string
  readonly configHash: string
  /** Hash of each input by its name: of a shard's file, a model, a source list. */
  readonly inputs: Readonly<Record<string, string>>
  readonly files: Readonly<Partial<Record<Family, ShardFile>>>
  /** What in, out and rejected count: pairs, captions, phrases, proposals. */
  readonly unit: string
  readonly in: number
  readonly out: number
  /** Count by reason; in = out + their sum. */
  readonly rejected: Readonly<Record<string, number>>
  readonly stats: ShardStats
  readonly seconds: number
  readonly createdAt: string
}

export async function readCommit(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<CommitRecord | undefined> {
  return readRecord(storage, familyPath(family, stage, shard, 'json'))
}

/** The record of that name, or undefined where there is none. Throws a UserError where it is not a record. */
export async function readRecord(storage: Storage, name: string): Promise<CommitRecord | undefined> {
  const bytes = await storage.read(name)
  if (!bytes) return undefined
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as CommitRecord
    if (record.version === 1 && record.files && record.rejected) return record
  } catch {}
  throw new UserError(`${storage.path(name)} is not a commit record: delete it, and its shard is made anew.`)
}
