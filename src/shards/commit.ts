import { z } from 'zod'
import { UserError } from '../base/user-error.js'
import { families, familyPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import type { ShardStats } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'
import type { ShardFile } from './write-shard.js'

/**
 * The record beside a shard's file, written last: a file without a record does not exist. It says what the
 * shard was made of, so that a task whose inputs and configuration are unchanged need not run again.
 */
export interface CommitRecord {
  readonly version: 1
  readonly stage: string
  readonly family: Family
  /** The family that the task was for; others that it wrote beside it name it here. */
  readonly main: Family
  readonly shard: string
  readonly configHash: string
  /**
   * What of the configuration readers want to know: the `rules` of a filter. Absent where an older version
   * wrote it.
   */
  readonly config?: Readonly<Record<string, unknown>>
  /** Hash of each input by its name: of a shard's file, a model, a source list. */
  readonly inputs: Readonly<Record<string, string>>
  readonly files: Readonly<Partial<Record<Family, ShardFile>>>
  /** What in, out and rejected count: pairs, captions, phrases, proposals. */
  readonly unit: string
  readonly in: number
  readonly out: number
  /** Count by reason; in = out + their sum. */
  readonly rejected: Readonly<Record<string, number>>
  /** Of what came out, count by the rule that gave it another label; absent where none did. */
  readonly relabelled?: Readonly<Record<string, number>>
  readonly stats: ShardStats
  readonly seconds: number
  readonly createdAt: string
}

const count = z.number().int().nonnegative()
const counts = z.record(z.string(), count)
/** Looked at one by one: of thousands of words zod would make thousands of objects. */
const sums = z.custom<Record<string, number>>(
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((sum) => typeof sum === 'number'),
  'expected numbers by their names',
)

const recordSchema = z.object({
  stage: z.string(),
  family: z.enum(families),
  main: z.enum(families),
  shard: z.string(),
  configHash: z.string(),
  config: z.record(z.string(), z.unknown()).optional(),
  inputs: z.record(z.string(), z.string()),
  files: z.partialRecord(
    z.enum(families),
    z.object({ path: z.string(), rows: count, bytes: count, sha256: z.string() }),
  ),
  unit: z.string(),
  in: count,
  out: count,
  rejected: counts,
  relabelled: counts.optional(),
  stats: z.object({
    counts: sums,
    histograms: z.record(
      z.string(),
      z.object({
        edges: z.array(z.number()),
        counts: z.array(count),
        moments: z
          .object({
            sum: z.number(),
            squares: z.number(),
            min: z.number().nullable(),
            max: z.number().nullable(),
          })
          .optional(),
      }),
    ),
    tallies: z.record(z.string(), sums),
    tails: z
      .record(
        z.string(),
        z.object({ total: z.number(), more: z.number(), level: z.number().int(), sample: sums }),
      )
      .optional(),
  }),
  seconds: z.number(),
  createdAt: z.string(),
})

/**
 * The record of a shard's family, or undefined where that does not exist. A family that was written beside
 * another exists from the instant the other's record does.
 *
 * @throws UserError where it is not a record, or of a newer version than this program
 */
export async function readCommit(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<CommitRecord | undefined> {
  const record = await readRecord(storage, familyPath(family, stage, shard, 'json'))
  if (!record || record.main === record.family) return record
  const main = await readRecord(storage, familyPath(record.main, record.stage, shard, 'json'))
  const isWhole = main?.stage === record.stage && main.files[family]?.sha256 === record.files[family]?.sha256
  return isWhole ? record : undefined
}

/** The record of that name as it stands. Throws as `readCommit` does. */
export async function readRecord(storage: Storage, name: string): Promise<CommitRecord | undefined> {
  const bytes = await storage.read(name)
  if (!bytes) return undefined
  const where = storage.path(name)
  const bad = (what: string) =>
    new UserError(`${where} is not a commit record (${what}): delete it, and its shard is made anew.`)
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch (error) {
    throw bad((error as Error).message)
  }
  const version = (value as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version > 1) {
    throw new UserError(`${where} has version ${version}, this groundmill reads up to 1: update groundmill.`)
  }
  if (version !== 1) throw bad('it has no version')
  const parsed = recordSchema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw bad(`${issue?.path.join('.')}: ${issue?.message}`)
  }
  // The value itself: zod's copy would lose the word "__proto__" of a tally.
  const record = value as CommitRecord
  if (!addsUp(record)) throw bad(sumsOf(record))
  return record
}

type Sums = Pick<CommitRecord, 'unit' | 'in' | 'out' | 'rejected'>

/** Whether all that went in came out or was rejected with a reason. */
export function addsUp(record: Sums): boolean {
  return record.in === record.out + rejectedOf(record)
}

/** The counts in words, for the message that they do not add up. */
export function sumsOf(record: Sums): string {
  return `${record.in} ${record.unit} in, ${record.out} out and ${rejectedOf(record)} rejected do not add up`
}

const rejectedOf = ({ rejected }: Sums) => Object.values(rejected).reduce((sum, count) => sum + count, 0)
