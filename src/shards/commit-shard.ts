import { UserError } from '../base/user-error.js'
import { familyFolder, recordPath, shardObject } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { withLock } from '../storage/lock.js'
import type { Storage, Version } from '../storage/storage.js'
import {
  type CommitRecord,
  isPointer,
  parseNamed,
  type RecordPointer,
  readRecord,
  readStored,
  textOf,
} from './commit.js'
import type { ShardPlace } from './shard-place.js'

/** A lock is lost to another after two minutes at the earliest: who has held it for less holds it alone. */
const lockIsSafeFor = 60_000

/** A lock while it is held. */
export interface HeldLock {
  /** Whether another may have taken it over. */
  mayBeLost(): boolean
}

/** A record with what a conditional swap of it needs. */
export interface VersionedRecord {
  readonly record: CommitRecord
  readonly version: Version
}

/** The record of a shard's main family. Throws as `readCommit` does. */
export async function readMain(
  { storage, stage, shard }: ShardPlace,
  family: Family,
): Promise<VersionedRecord | undefined> {
  const name = recordPath(family, stage, shard)
  const stored = await storage.readVersioned(name)
  if (!stored) return undefined
  const record = parseNamed(storage, name, stored.bytes)
  if (isPointer(record)) throw namesake(storage, record, family)
  return { record, version: stored.version }
}

/** Files that wait for their commit: `ShardFiles`, which a task has written. */
export interface PlacedFiles {
  /**
   * Puts files in place.
   *
   * @param onlyMissing whether those that are there are left as they are
   */
  place(paths: Iterable<string>, options: { readonly onlyMissing: boolean }): Promise<void>
}

/** What a commit has come to: the record that is there now, and whether it is the one that was committed. */
export interface Committed {
  readonly record: CommitRecord | undefined
  readonly isOwn: boolean
}

/**
 * Commits a shard. Its record is the only thing that says that it is there, so it is the last to be written:
 * the files are put in place first, then what points to the record from other families, then the record takes
 * the place of the one that was there. What the new one does not name is removed after that. Of several who
 * commit one shard at once each leaves a whole one, and the last stays.
 *
 * @param mayReplace is asked of what is there at that instant; where it says no, that stays
 * @param place whose signal is looked at before anything is put in place
 * @throws UserError where another stage of the dataset has the same name
 */
export async function commitShard(
  place: ShardPlace & { readonly signal?: AbortSignal },
  record: CommitRecord,
  files: PlacedFiles,
  mayReplace: (now: VersionedRecord | undefined) => Promise<boolean> | boolean,
): Promise<Committed> {
  const { storage, signal } = place
  const { family } = record
  const paths = Object.values(record.files).map(({ path }) => path)
  // Sending objects takes long, and others wait for the lock.
  if (!storage.isLocal) await files.place(paths, { onlyMissing: false })
  for (;;) {
    const committed = await withShardLock(place, family, async (held): Promise<Committed | undefined> => {
      signal?.throwIfAborted()
      const now = await readMain(place, family)
      if (!(await mayReplace(now))) {
        const left = now ? await unnamed(place, now.record, familiesOf(now.record, record)) : []
        await removeUnnamed(place, family, left, held)
        return { record: now?.record, isOwn: false }
      }
      const left = await unnamed(place, record, familiesOf(record, now?.record))
      // What was sent before the lock another may have removed: no record named it yet.
      await files.place(paths, { onlyMissing: !storage.isLocal })
      await writePointers(place, record)
      if (!(await storage.swap(recordPath(family, place.stage, place.shard), textOf(record), now?.version)))
        return undefined
      // While nothing named them yet, another that had the lock may have removed them.
      if (held.mayBeLost()) {
        await files.place(paths, { onlyMissing: true })
        await writePointers(place, record)
      }
      await removeUnnamed(place, family, left, held)
      return { record, isOwn: true }
    })
    // Where the lock was lost to another, the record is looked at again.
    if (committed) return committed
  }
}

/** Name of the lock of a shard, which lies beside its record. */
export const shardLock = (main: Family, stage: string, shard: string): string =>
  recordPath(main, stage, shard).replace(/json$/, 'lock')

/** Works on a shard alone: only commits and what removes files take this lock, each for a moment. */
export function withShardLock<T>(
  { storage, stage, shard }: ShardPlace,
  main: Family,
  work: (held: HeldLock) => Promise<T>,
): Promise<T> {
  const what = `committing shard ${shard} of stage "${stage}"`
  return withLock(storage, shardLock(main, stage, shard), what, (lost) => {
    const start = performance.now()
    return work({ mayBeLost: () => lost.aborted || performance.now() - start > lockIsSafeFor })
  })
}

/** The shard whose lock an object is; undefined where it is none. */
export const lockedShard = (name: string): string | undefined => /([^/]+)\.lock$/.exec(name)?.[1]

/** Has every other family that the record lists point to it. */
async function writePointers({ storage, stage, shard }: ShardPlace, record: CommitRecord) {
  const { family: main, version } = record
  for (const family of besideOf(record)) {
    const name = recordPath(family, stage, shard)
    const stored = await readStored(storage, name)
    if (stored && stored.main !== main && stored.stage === stage) throw namesake(storage, stored, main)
    const pointer: RecordPointer = { version, stage, family, main, shard }
    // Older versions wrote the whole record here.
    if (!stored || 'files' in stored) await storage.write(name, textOf(pointer))
  }
}

/**
 * Writes what points to a shard's record anew where that is lost or cannot be read.
 *
 * @returns whether there was a record to point to
 */
export function mendPointers(place: ShardPlace, main: Family): Promise<boolean> {
  const { storage, stage, shard } = place
  return withShardLock(place, main, async () => {
    const now = await readMain(place, main)
    if (!now) return false
    for (const family of besideOf(now.record)) {
      const name = recordPath(family, stage, shard)
      const stored = await readStored(storage, name).catch(() => undefined)
      if (stored && isPointer(stored) && stored.main === main) continue
      await storage.remove(name)
    }
    await writePointers(place, now.record)
    return true
  })
}

/** Families with a pointer to a record. */
export const besideOf = ({ family, files }: CommitRecord) =>
  (Object.keys(files) as Family[]).filter((other) => other !== family && other !== 'rejects')

/**
 * Objects of a shard that its record does not name: files, and pointers of families that it does not list. All
 * of them where there is no record.
 *
 * @param among families that are looked at
 */
export async function unnamed(
  { storage, stage, shard }: ShardPlace,
  record: CommitRecord | undefined,
  among: Iterable<Family>,
): Promise<string[]> {
  const found: string[] = []
  for (const family of among)
    for (const name of await storage.listBeginning(`${familyFolder(family, stage)}/${shard}`))
      if (shardObject(name)?.shard === shard && !isNamed(record, name)) found.push(name)
  return found
}

const familiesOf = (...records: readonly (CommitRecord | undefined)[]) =>
  new Set(records.flatMap((record) => Object.keys(record?.files ?? {}) as Family[]))

/** Whether a record names an object of its shard: a file, itself, or what points to it. */
export function isNamed(record: CommitRecord | undefined, name: string): boolean {
  if (!record) return false
  const family = name.slice(0, name.indexOf('/')) as Family
  if (shardObject(name)?.kind === 'file') return record.files[family]?.path === name
  return family === record.family || besideOf(record).includes(family)
}

/**
 * Removes objects of a shard, unless a record that another has written in between names them. Nothing can hold back
 * who falls asleep between the look and the removal, and wakes when another has the lock: where that one needed
 * what was removed, its record goes too, and the shard is made anew.
 *
 * @param held who holds the shard's lock
 */
export async function removeUnnamed(
  place: ShardPlace,
  main: Family,
  names: readonly string[],
  held: HeldLock,
): Promise<void> {
  const { storage, stage, shard } = place
  for (const name of names) {
    // What is left is for who has the lock by now, or for the next sweep.
    if (held.mayBeLost()) return
    const now = await readRecord(storage, recordPath(main, stage, shard))
    if (isNamed(now, name)) continue
    await storage.remove(name)
    if (held.mayBeLost()) return withdrawBroken(place, main)
  }
}

/** Removes the record of a shard where not all is there that it names. */
async function withdrawBroken(place: ShardPlace, main: Family) {
  const { storage, stage, shard } = place
  await withShardLock(place, main, async () => {
    const record = await readRecord(storage, recordPath(main, stage, shard))
    if (record && !(await isWhole(storage, record))) await storage.remove(recordPath(main, stage, shard))
  })
}

/** Whether everything that a record names is there. */
export async function isWhole(storage: Storage, record: CommitRecord): Promise<boolean> {
  const pointers = besideOf(record).map((family) => recordPath(family, record.stage, record.shard))
  const files = Object.values(record.files).map(({ path }) => path)
  for (const name of [...pointers, ...files]) if (!(await storage.exists(name))) return false
  return true
}

/** The error for a stage whose name another one has, which makes shards of another family. */
export const namesake = (
  { url }: Storage,
  { stage, main, shard }: RecordPointer,
  family: Family,
): UserError =>
  new UserError(
    `${url}: the stage "${stage}" already made the ${main} of shard ${shard}: give the stage that makes ${family} another name.`,
  )
