import { hashBytes } from '../base/hash.js'
import { shownName, shownValue } from '../base/name-list.js'
import { jsonProblem } from '../base/parse-json.js'
import { notAmong } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import { families, familyFolder, isFileOf, recordPath } from '../rows/family-path.js'
import * as shape from '../rows/record-shape.js'
import type { Family } from '../rows/rows.js'
import type { ShardStats } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'
import type { ShardFile } from './write-shard.js'

/** Raised when older programs could not read what this one writes. 2: files are named by their content. */
export const recordVersion = 2

/**
 * The record of a shard, written when its files are there: a file that no record names does not exist. It
 * says what the shard was made of, so that a task whose inputs and configuration are unchanged need not run
 * again.
 */
export interface CommitRecord {
  readonly version: 1 | 2
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
  /**
   * The place of its stage among those of the dataset (`stageOrder`). Absent where an older version wrote it, and of
   * images.
   */
  readonly order?: number
  /** Name and version of the program that made it. Absent where an older version did. */
  readonly software?: string
  /** When it was made, by the clock of its machine: for people, and no order. */
  readonly createdAt: string
}

/**
 * What stands for a record in a family that was written beside another one: it says where the record is. It
 * is the same whatever the shard was made of.
 */
export type RecordPointer = Pick<CommitRecord, 'version' | 'stage' | 'family' | 'main' | 'shard'>

/** Numbers by their names, of which a tally has thousands: looked at in one loop. */
const named =
  (expected: string, accepts: (value: unknown) => boolean): shape.Shape =>
  (value, key) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return shape.ofKey(key, expected)
    // What JSON is parsed to inherits nothing that is listed.
    for (const name in value) if (!accepts(value[name as never])) return shape.ofKey(key, expected)
    return undefined
  }
const sums = named('expected numbers by their names', Number.isFinite)
const counts = named('expected counts by their reasons', shape.isCount)

const family: shape.Shape = (value, key) =>
  families.includes(value as Family) ? undefined : shape.ofKey(key, notAmong(value, families))

const pointerShape = shape.object({ stage: shape.pathName, family, main: family, shard: shape.pathName })

const fileShape = shape.object({
  path: shape.text,
  rows: shape.count,
  bytes: shape.count,
  sha256: shape.kindOf('a SHA-256', (value) => typeof value === 'string' && /^[\da-f]{64}$/i.test(value)),
  blocks: shape.optional(shape.text),
})

const histogramShape = shape.object({
  edges: shape.list(shape.number),
  counts: shape.list(shape.count),
  moments: shape.optional(
    shape.object({
      sum: shape.number,
      squares: shape.number,
      min: shape.nullable(shape.number),
      max: shape.nullable(shape.number),
    }),
  ),
})

const recordShape = shape.object({
  configHash: shape.text,
  config: shape.optional(shape.record(shape.anything)),
  inputs: shape.record(shape.text),
  files: shape.record(fileShape, (name) =>
    families.includes(name as Family) ? undefined : `${shownName(name)} is no family`,
  ),
  unit: shape.text,
  in: shape.count,
  out: shape.count,
  rejected: counts,
  relabelled: shape.optional(counts),
  stats: shape.object({
    counts: sums,
    histograms: shape.record(histogramShape),
    tallies: shape.record(sums),
    tails: shape.optional(
      shape.record(
        shape.object({ total: shape.number, more: shape.number, level: shape.integer, sample: sums }),
      ),
    ),
  }),
  seconds: shape.number,
  order: shape.optional(shape.count),
  software: shape.optional(shape.text),
  createdAt: shape.text,
})

/**
 * The record of a shard's family, or undefined where that does not exist. There is one record of a shard, in
 * its main family: families that were written beside it exist where it lists them.
 *
 * @throws UserError where it is not a record, or of a newer version than this program
 */
export async function readCommit(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<CommitRecord | undefined> {
  if (family === 'rejects') return commitOfRejects(storage, stage, shard)
  const stored = await readStored(storage, recordPath(family, stage, shard))
  if (!stored || !isPointer(stored)) return stored
  const main = await readRecord(storage, recordPath(stored.main, stored.stage, shard))
  return main?.stage === stored.stage && main.files[family] ? { ...main, family } : undefined
}

/** Rejects have no record of their own: they are the main family's, whichever that is. */
async function commitOfRejects(
  storage: Storage,
  stage: string | null,
  shard: string,
): Promise<CommitRecord | undefined> {
  for (const family of families) {
    if (family === 'rejects') continue
    const main = await readRecord(storage, recordPath(family, stage, shard))
    if (main?.stage === stage && main.files.rejects) return { ...main, family: 'rejects' }
  }
  return undefined
}

/**
 * The record of that name as it stands; undefined where there is none, or one that points to another family's.
 * Throws as `readCommit` does.
 */
export async function readRecord(storage: Storage, name: string): Promise<CommitRecord | undefined> {
  const stored = await readStored(storage, name)
  return stored && !isPointer(stored) ? stored : undefined
}

/** Whether it is no record but says where that is. Older versions wrote the whole record a second time. */
export const isPointer = (stored: CommitRecord | RecordPointer): stored is RecordPointer =>
  stored.main !== stored.family

/** What stands under that name: a record, or what points to one. Throws as `readCommit` does. */
export async function readStored(
  storage: Storage,
  name: string,
): Promise<CommitRecord | RecordPointer | undefined> {
  const bytes = await storage.read(name)
  return bytes && parseNamed(storage, name, bytes)
}

/**
 * What bytes say that lie under that name of a dataset.
 *
 * @throws UserError as `parseStored` does, and where they are the record of another shard
 */
export function parseNamed(storage: Storage, name: string, bytes: Uint8Array): CommitRecord | RecordPointer {
  const stored = parseStored(bytes, storage.path(name))
  if (isOf(stored, name)) return stored
  throw new UserError(
    `${storage.path(name)}: ${ofAnother(stored)}: \`groundmill check --mend ${storage.url}\` removes it, and the next run makes its shard anew.`,
  )
}

/** Whether what stands under a name is of the shard that has that name. */
export const isOf = ({ family, stage, shard }: RecordPointer, name: string): boolean =>
  recordPath(family, stage, shard) === name

/** What is wrong with the record of another shard, in words. */
export const ofAnother = ({ family, stage, shard }: RecordPointer): string =>
  `it says of itself that it is ${family} of "${stage}", shard ${shard}`

/**
 * What bytes say of a shard.
 *
 * @param where they are from, for messages
 * @throws UserError as `readCommit` does
 */
export function parseStored(bytes: Uint8Array, where: string): CommitRecord | RecordPointer {
  const text = Buffer.from(bytes).toString('utf8')
  const stored = parseText(text, where)
  if (isSummed(text)) return stored
  throw new UserError(
    `${where} is damaged: its checksum is not that of what it says. \`groundmill check --deep --mend\` of its dataset keeps the pictures, and the next run makes the rest anew.`,
  )
}

/** What can be done for a record that cannot be read. Of what was crawled nothing is deleted. */
const adviceFor = (where: string): string =>
  /(?:^|\/)images\/[^/]+$/.test(where)
    ? '`groundmill check --mend` of its dataset writes it anew of its pictures.'
    : 'delete it, and its shard is made anew.'

/** What bytes say of a shard, whether or not their checksum is right. Throws as `readCommit` does. */
export const parseUnsummed = (bytes: Uint8Array, where: string): CommitRecord | RecordPointer =>
  parseText(Buffer.from(bytes).toString('utf8'), where)

function parseText(text: string, where: string): CommitRecord | RecordPointer {
  const bad = (what: string) =>
    new UserError(`${where} is not a commit record (${what}): ${adviceFor(where)}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw bad(jsonProblem(text, error))
  }
  const version = (value as { version?: unknown } | null)?.version
  if (typeof version === 'number' && version > recordVersion) {
    throw new UserError(
      `${where} has version ${version}, this groundmill reads up to ${recordVersion}: update groundmill.`,
    )
  }
  if (version !== 1 && version !== 2) throw bad('it has no version')
  const check = (ofRecord: shape.Shape) => {
    const problem = ofRecord(value, '')
    if (problem !== undefined) throw bad(problem)
  }
  check(pointerShape)
  // Of these bytes, and no more of what is made of them.
  delete (value as { checksum?: unknown }).checksum
  if (isPointer(value as RecordPointer)) return value as RecordPointer
  check(recordShape)
  const record = value as CommitRecord
  for (const [family, file] of Object.entries(record.files) as [Family, ShardFile][]) {
    if (!isFileOf(file.path, family, record.stage))
      throw bad(
        `files.${family}.path: expected a file in ${familyFolder(family, record.stage)}/, not ${shownValue(file.path)}`,
      )
  }
  if (!addsUp(record)) throw bad(sumsOf(record))
  return record
}

const checksumMark = ',\n "checksum": "'

/** A record as it is stored: with the SHA-256 of all of its text before that as its last key. */
export function textOf(record: CommitRecord | RecordPointer): string {
  const text = JSON.stringify(record, null, 1).slice(0, -'\n}'.length)
  return `${text}${checksumMark}${hashBytes(text)}"\n}\n`
}

/** Whether a text is that whose checksum it holds. Older versions wrote none. */
function isSummed(text: string): boolean {
  const at = text.lastIndexOf(checksumMark)
  return at < 0 || text.slice(at) === `${checksumMark}${hashBytes(text.slice(0, at))}"\n}\n`
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
