import { UserError } from '../base/user-error.js'
import type { Families, Family, RejectRow } from '../rows/rows.js'
import { rowStats } from '../statistics/row-stats.js'
import { hashObject, readParts } from '../storage/hash-object.js'
import { openObject } from '../storage/open-storage.js'
import { type CommitRecord, recordVersion } from './commit.js'
import { commitShard, type VersionedRecord } from './commit-shard.js'
import { damagedRows } from './damaged-rows.js'
import {
  goldFamilies,
  keptGold,
  keptImages,
  keptRejects,
  keysOf,
  type Whole,
  type Work,
} from './kept-rows.js'
import { ShardFiles } from './shard-files.js'
import type { ShardFile } from './write-shard.js'

/** Why a row is rejected whose picture was lost with a damaged file: a plain rerun asks for it again. */
export const damagedReason = 'damaged'

/** What a damaged file is called from which the rows that are whole were taken. */
export const damagedSuffix = '.damaged'

/**
 * The input by which a record says that its shard was mended: so the next run holds all of it against its
 * source.
 */
export const damagedInput = 'damaged'

/** What was saved of a shard of pictures. */
export interface Salvaged {
  readonly record: CommitRecord
  /** Keys of the rows that were lost: pictures, and what had been rejected. */
  readonly lost: readonly string[]
  /**
   * Families without a hash of their rows of which nothing was kept: the next run makes them of its source.
   */
  readonly left: readonly Family[]
  /** Names of the damaged files that were put aside. */
  readonly aside: readonly string[]
}

/**
 * Makes a new shard of what of a damaged one can be shown to be whole, and commits it in the place of that:
 *
 * - A file whose rows, written anew, have the SHA-256 of its record is what it was (its footer was broken).
 * - A picture is whole whose bytes give its row's sha256. One that was encoded anew when it came in has
 *   another hash; it is whole where its block of the file and those of its row's columns have their sums.
 * - A row that was rejected is kept where its reason is one that the record counts.
 * - Boxes and phrases have no hash of their rows: of a damaged file of them nothing is kept.
 *
 * All other rows become rejects, `damaged`. The damaged files stay beside the new ones under another name
 * where something of them was lost.
 *
 * @param made the shard's record, of images
 * @returns undefined where there is nothing to be saved; `replaced` where another process has replaced the
 *   shard meanwhile
 * @throws UserError where a family that is whole has not the rows of the pictures
 */
export async function salvageShard(
  place: Work,
  made: VersionedRecord,
): Promise<Salvaged | 'replaced' | undefined> {
  const before = made.record
  const files = new ShardFiles(place)
  try {
    const whole = await wholeFiles(place, before, files)
    const isWhole = Object.keys(before.files).every((family) => whole.has(family as Family))
    const saved = isWhole
      ? { record: { ...before, files: Object.fromEntries(whole) }, lost: [], aside: [] }
      : await savedOf(place, before, whole, files)
    if (!saved) return undefined
    const { record, lost } = saved
    const aside: string[] = []
    for (const path of saved.aside)
      if (await place.storage.exists(path)) aside.push(await putAside(place, path))
    const { isOwn } = await commitShard(place, record, files, (now) => now?.version === made.version)
    if (isOwn) {
      const left = (Object.keys(before.files) as Family[]).filter((family) => !record.files[family])
      return { record, lost, left, aside }
    }
    for (const name of aside) await place.storage.remove(name)
    return 'replaced'
  } finally {
    await files.discard()
  }
}

/** Files that are what their record says, or have been written anew and are so again. */
async function wholeFiles(
  { storage, signal }: Work,
  before: CommitRecord,
  files: ShardFiles,
): Promise<Whole> {
  const whole = new Map<Family, ShardFile>()
  for (const [family, file] of Object.entries(before.files) as [Family, ShardFile][]) {
    if (!(await storage.exists(file.path))) continue
    const path = storage.path(file.path)
    const object = await openObject(path)
    const hash = await hashObject(object, signal).finally(() => object.close())
    if (hash === file.sha256) whole.set(family, file)
    else {
      const anew = await writtenAnew(path, family, file, files)
      if (anew?.sha256 === file.sha256) whole.set(family, { ...file, path: anew.path })
    }
  }
  return whole
}

/** What could be read of a file, written anew; undefined where a row of it is none of the family. */
async function writtenAnew(path: string, family: Family, file: ShardFile, files: ShardFiles) {
  async function* rows() {
    for await (const { row } of damagedRows(path, family, file)) yield row as unknown as Families[Family]
  }
  try {
    return await files.write(family, rows())
  } catch (error) {
    if (error instanceof TypeError || error instanceof UserError) return undefined
    throw error
  }
}

/**
 * What is saved of a shard that is not whole: its new record, what was lost, and files that are worth to be
 * kept.
 */
async function savedOf(place: Work, before: CommitRecord, whole: Whole, files: ShardFiles) {
  const gold = goldFamilies.filter((family) => before.files[family] && whole.has(family))
  const stats = rowStats('images', ...gold)
  const images = await keptImages(place, before, whole, files, stats)
  if (!images || (images.kept.size === 0 && before.out > 0)) return undefined
  const kept = await keptRejects(place, before, whole, images.kept)
  const lost = keysOf(before).filter((key) => !images.kept.has(key) && !kept.has(key))
  const rejects = [...kept.values(), ...lost.map((key) => lostRow(key, images.urls.get(key) ?? null))]
  rejects.sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  const own: Partial<Record<Family, ShardFile>> = { images: images.file }
  own.rejects = (lost.length === 0 && whole.get('rejects')) || (await files.write('rejects', rejects))
  for (const family of gold) {
    const file = before.files[family] as ShardFile
    own[family] = await keptGold(place, family, file, images.kept, files, stats)
  }
  const dropped = before.stats.tallies.dropped ?? {}
  for (const [reason, count] of Object.entries(dropped)) stats.tally('dropped', reason, count)
  const rejected: Record<string, number> = {}
  for (const { reason } of rejects) rejected[reason] = (rejected[reason] ?? 0) + 1
  const record: CommitRecord = {
    ...before,
    version: recordVersion,
    inputs: { ...before.inputs, [damagedInput]: before.files.images?.sha256 ?? '' },
    files: own,
    out: images.kept.size,
    rejected,
    stats: stats.build(),
    createdAt: new Date().toISOString(),
  }
  const isLess = (family: Family) => (family === 'images' ? images.kept.size < before.out : !own[family])
  const aside = Object.entries(before.files).flatMap(([family, { path }]) =>
    !whole.has(family as Family) && isLess(family as Family) ? [path] : [],
  )
  return { record, lost, aside }
}

/** What becomes of a row that was lost with a damaged file. */
export const lostRow = (key: string, url: string | null): RejectRow => ({
  key,
  url,
  reason: damagedReason,
  detail: 'what was there of it was lost with a damaged file of its shard; the next run asks for it again',
})

/** Copies a damaged file to a name beside it. @returns that name */
export async function putAside(
  { storage, signal }: Pick<Work, 'storage' | 'signal'>,
  path: string,
): Promise<string> {
  const name = `${path}${damagedSuffix}`
  const object = await openObject(storage.path(path))
  try {
    await storage.writeStream(name, readParts(object, signal))
    return name
  } finally {
    await object.close()
  }
}
