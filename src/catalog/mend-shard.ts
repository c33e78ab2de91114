import { counted } from '../base/counted.js'
import { UserError } from '../base/user-error.js'
import { recordPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, textOf } from '../shards/commit.js'
import { type HeldLock, unnamed, type VersionedRecord, withShardLock } from '../shards/commit-shard.js'
import { restoreRecord } from '../shards/restore-record.js'
import {
  damagedInput,
  damagedSuffix,
  putAside,
  type Salvaged,
  salvageShard,
} from '../shards/salvage-shard.js'
import { putStrayAside } from '../storage/own-file.js'
import type { Storage, Version } from '../storage/storage.js'
import type { Finding } from './finding.js'
import { removeShard, shardRemoved, unlessLocked } from './remove-shard.js'

/** Where a record was listed. */
export interface RecordPlace {
  readonly storage: Storage
  readonly family: Family
  readonly stage: string
  readonly shard: string
}

/** What is to be said of a shard after it was mended, and its record where it has one. */
interface Mended {
  readonly findings: readonly Finding[]
  readonly record?: CommitRecord
  readonly bytes?: number
}

/**
 * Mends a shard with files that are broken or gone. Of pictures what is whole is kept (`salvageShard`); of
 * what other stages have made nothing is, since it can be made again.
 */
export async function mendFiles(
  place: RecordPlace,
  made: VersionedRecord,
  findings: readonly Finding[],
  signal?: AbortSignal,
): Promise<Mended> {
  const { storage, family, stage, shard } = place
  const strays = await unlessLocked(() => withShardLock(place, family, () => straysOf(storage, made)), none)
  const tell = (what: string, lost: readonly string[] = []) =>
    findings.map((finding, index) => ({
      ...finding,
      mended: strays.has(finding.name)
        ? `${what}; what stood there is ${strays.get(finding.name)} now`
        : what,
      // Once, however many files of the shard are broken.
      ...(index === 0 && lost.length > 0 && { lost }),
    }))
  if (family === 'images') {
    const saved = await salvaged({ storage, stage, shard, ...(signal && { signal }) }, made)
    if (typeof saved === 'string') {
      const why = findings.map((finding) => ({ ...finding, what: `${finding.what}; ${saved}` }))
      return { findings: why, record: made.record }
    }
    if (saved) {
      const { record, lost } = saved
      const bytes = Object.values(record.files).reduce((sum, file) => sum + file.bytes, 0)
      return { findings: tell(savedText(made.record, saved), lost), record, bytes }
    }
  }
  const [first] = findings as readonly [Finding, ...Finding[]]
  const aside = await asideOf(place, made, signal)
  const { mended } = await removed(place, made.version, first)
  if (!mended) {
    if (aside !== undefined) await storage.remove(aside)
    return { findings }
  }
  return { findings: tell(aside === undefined ? mended : `${mended}; the damaged file stays as ${aside}`) }
}

const none: ReadonlyMap<string, string> = new Map()

/** Folders, links to outside and the like that stood in the place of a shard's files, and where they are now. */
async function straysOf(storage: Storage, { record }: VersionedRecord): Promise<ReadonlyMap<string, string>> {
  const strays = new Map<string, string>()
  for (const { path } of Object.values(record.files)) {
    const aside = await putStrayAside(storage, path, damagedSuffix)
    if (aside !== undefined) strays.set(path, aside)
  }
  return strays
}

/**
 * A copy of a damaged file of pictures of which nothing can be shown to be whole: people may still see what
 * it holds.
 */
async function asideOf(
  { storage, family }: RecordPlace,
  { record }: VersionedRecord,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const path = record.files.images?.path
  if (family !== 'images' || record.out === 0 || path === undefined || !(await storage.exists(path)))
    return undefined
  return putAside({ storage, ...(signal && { signal }) }, path)
}

/**
 * Mends a shard of pictures whose record cannot be read: writes it anew of its file (`restoreRecord`); where no file
 * is what its name says, the shard goes, and its files stay aside.
 *
 * @returns what was done, in words; undefined where another process has it in hand
 */
export async function mendUnreadable(
  place: Parameters<typeof restoreRecord>[0],
  version: Version,
): Promise<{ readonly record?: CommitRecord; readonly mended?: string }> {
  const { storage, signal } = place
  const restored = unlessLocked(() => restoreRecord(place, version), undefined)
  const record = await restored.catch((error: unknown) => {
    // A file that only looks whole is not.
    if (error instanceof UserError) return undefined
    throw error
  })
  if (record)
    return {
      record,
      mended: `written anew of its file, with ${counted(record.out, 'picture')}: the next run holds them against the source`,
    }
  const aside: string[] = []
  for (const path of await unnamed(place, undefined, ['images']))
    if (path.endsWith('.parquet')) aside.push(await putAside({ storage, ...(signal && { signal }) }, path))
  const isGone = await unlessLocked(() => removeShard(place, 'images', version), false)
  if (isGone)
    return {
      mended:
        aside.length > 0 ? `${shardRemoved}; what was there stays as ${aside.join(', ')}` : shardRemoved,
    }
  for (const name of aside) await storage.remove(name)
  return {}
}

/** What was saved, or why nothing can be done now; undefined where there is nothing to save. */
async function salvaged(
  place: Parameters<typeof salvageShard>[0],
  made: VersionedRecord,
): Promise<Salvaged | string | undefined> {
  try {
    const saved = await unlessLocked(() => salvageShard(place, made), 'replaced' as const)
    return saved === 'replaced' ? 'another process has it in hand' : saved
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return `it cannot be mended: ${error.message}`
  }
}

export const picturesKept = 'its pictures are kept: the next run holds them against the source'

/**
 * Writes the record of a shard of pictures anew of which no more is wrong than its checksum. What it says of how the
 * shard was made may be what is damaged: the next run holds all of it against its source.
 *
 * @returns whether the record was still the one that was read
 */
export async function keepPictures(
  { storage, family, stage, shard }: RecordPlace,
  { record, version }: VersionedRecord,
): Promise<boolean> {
  const inputs = { ...record.inputs, [damagedInput]: record.files.images?.sha256 ?? '' }
  const text = textOf({ ...record, inputs })
  const write = async (held: HeldLock) =>
    !held.mayBeLost() && (await storage.swap(recordPath(family, stage, shard), text, version))
  return unlessLocked(() => withShardLock({ storage, stage, shard }, family, write), false)
}

/** Removes a shard whose record is as it was read, and says so. */
export async function removed(
  { storage, family, stage, shard }: RecordPlace,
  version: Version,
  finding: Finding,
): Promise<Finding> {
  const isGone = await unlessLocked(() => removeShard({ storage, stage, shard }, family, version), false)
  return isGone ? { ...finding, mended: shardRemoved } : finding
}

/** Keys that are named in a line; all are in `--json`. */
const mostNamed = 10

function savedText({ out, files }: CommitRecord, { record, lost, left, aside }: Salvaged): string {
  const isSame = Object.entries(files).every(
    ([family, { sha256 }]) => record.files[family as Family]?.sha256 === sha256,
  )
  if (isSame) return 'written anew, as it was'
  const parts = [`${record.out} of ${out} pictures are whole and stay`]
  if (lost.length > 0) {
    const more = lost.length > mostNamed ? ` and ${lost.length - mostNamed} more` : ''
    const rows = lost.length === 1 ? '1 row is' : `${lost.length} rows are`
    const keys = lost.slice(0, mostNamed).join(', ')
    parts.push(`${rows} lost, and asked for again by the next run: ${keys}${more}`)
  }
  if (left.length > 0)
    parts.push(`nothing tells which rows of ${left.join(' and ')} are whole: the next run makes them anew`)
  parts.push('the next run holds captions and boxes against the source')
  if (aside.length > 0) parts.push(`the damaged file stays as ${aside.join(', ')}`)
  return parts.join('; ')
}
