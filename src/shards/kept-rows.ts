import { hashBytes } from '../base/hash.js'
import { parseJson } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { rowKey } from '../rows/row-key.js'
import type { Families, Family, ImageRow, RejectRow } from '../rows/rows.js'
import { addImage, addNegatives, addPhrases, addRegions, type rowStats } from '../statistics/row-stats.js'
import { readParts } from '../storage/hash-object.js'
import { openObject } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import { blockSums, wholeRanges } from './block-sums.js'
import type { CommitRecord } from './commit.js'
import { type DamagedRow, damagedRows } from './damaged-rows.js'
import type { StoredRow } from './row-migration.js'
import type { ShardFiles } from './shard-files.js'
import type { ShardPlace } from './shard-place.js'
import type { ShardFile } from './write-shard.js'

/** Families that a source with boxes has beside its pictures. */
export const goldFamilies = ['phrases', 'grounding', 'negatives'] as const
export type GoldFamily = (typeof goldFamilies)[number]

/** A shard that is mended. */
export type Work = ShardPlace & { readonly signal?: AbortSignal }
/** Files of families that are whole, or are again when they are put in place. */
export type Whole = ReadonlyMap<Family, ShardFile>

/** Keys of all rows of a shard, in their order. */
export const keysOf = ({ shard, in: rows }: CommitRecord) =>
  Array.from({ length: rows }, (_, index) => rowKey(shard, index))

type Stats = ReturnType<typeof rowStats>
type Size = Pick<ImageRow, 'width' | 'height'> & { readonly captions: number }

interface KeptImages {
  readonly file: ShardFile
  /** By their keys. */
  readonly kept: ReadonlyMap<string, Size>
  /** Addresses of pictures that are lost, as far as they can be read. */
  readonly urls: ReadonlyMap<string, string>
}

/**
 * The pictures of a shard that are whole, which are written anew where the file is not. Undefined where
 * there is no file.
 *
 * @param stats is told of each
 */
export async function keptImages(
  { storage, signal }: Work,
  before: CommitRecord,
  whole: Whole,
  files: ShardFiles,
  stats: Stats,
): Promise<KeptImages | undefined> {
  const file = before.files.images
  if (!file || !(await storage.exists(file.path))) return undefined
  const path = storage.path(file.path)
  const wholeFile = whole.get('images')
  const isWhole = wholeFile ? () => true : await pictureProof(path, file)
  const expected = keysOf(before)
  const rejected = whole.has('rejects') ? await rejectedKeys(storage, before) : new Set<string>()
  let next = 0
  const kept = new Map<string, Size>()
  const urls = new Map<string, string>()
  async function* rows(): AsyncGenerator<ImageRow> {
    for await (const damaged of damagedRows(path, 'images', file as ShardFile)) {
      signal?.throwIfAborted()
      const { key, url } = damaged.row
      // In the order of the source, each once.
      const index = typeof key === 'string' ? expected.indexOf(key, next) : -1
      if (typeof key !== 'string' || index < 0 || rejected.has(key)) continue
      next = index + 1
      if (isImageRow(damaged.row) && isWhole(damaged)) {
        const { width, height, captions } = damaged.row
        kept.set(key, { width, height, captions: captions.length })
        addImage(stats, damaged.row)
        const tdm = notesOf(damaged.row.meta)?.tdm_reservation
        if (tdm !== undefined) stats.tally('tdm_reservation', tdm === 1 ? 'reserved' : 'not reserved')
        yield damaged.row
      } else if (typeof url === 'string') urls.set(key, url)
    }
  }
  if (!wholeFile) return { file: await files.write('images', rows()), kept, urls }
  for await (const _ of rows());
  return { file: wholeFile, kept, urls }
}

async function rejectedKeys(storage: Storage, { files }: CommitRecord): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  const file = files.rejects
  if (!file) return keys
  for await (const { row } of damagedRows(storage.path(file.path), 'rejects', file))
    keys.add(row.key as string)
  return keys
}

/** Says of the pictures of a damaged file whether they are whole. */
async function pictureProof(path: string, file: ShardFile): Promise<(damaged: DamagedRow) => boolean> {
  const sums = blockSums()
  const object = await openObject(path)
  try {
    for await (const part of readParts(object)) sums.add(part)
  } finally {
    await object.close()
  }
  const isRange = wholeRanges(file.blocks, sums.end(file.bytes), file.bytes)
  return ({ row, picture, others }) => {
    if (!picture) return false
    const { at, bytes } = picture
    if (hashBytes(bytes) === row.sha256) return true
    return isRange(at, at + bytes.length) && isRange(others.start, others.end)
  }
}

/** Whether a row that was read from a damaged file has what one of images has. */
function isImageRow(row: StoredRow): row is StoredRow & ImageRow {
  const { image, width, height, captions, url, sha256, phash, fingerprint, license, meta } = row
  const isText = (value: unknown) => typeof value === 'string'
  const isTextOrNull = (value: unknown) => value === null || isText(value)
  const isSide = (value: unknown) => Number.isInteger(value) && (value as number) > 0
  const isCaption = (caption: unknown) => {
    const { text, kind } = (caption ?? {}) as Readonly<Record<string, unknown>>
    return isText(text) && isText(kind)
  }
  return (
    image !== undefined &&
    [width, height].every(isSide) &&
    Array.isArray(captions) &&
    captions.every(isCaption) &&
    [sha256, phash].every(isText) &&
    [url, license, meta].every(isTextOrNull) &&
    (fingerprint === undefined || isTextOrNull(fingerprint)) &&
    notesOf(meta as string | null) !== undefined
  )
}

/** What is noted of a picture; undefined where it is no JSON object. */
function notesOf(meta: string | null): Readonly<Record<string, unknown>> | undefined {
  try {
    const notes = meta === null ? {} : parseJson(meta)
    return typeof notes === 'object' && notes !== null ? (notes as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Rows of the source that were rejected, by their keys: all of a whole file, of another those that may be right. */
export async function keptRejects(
  { storage }: Work,
  before: CommitRecord,
  whole: Whole,
  images: ReadonlyMap<string, Size>,
): Promise<ReadonlyMap<string, RejectRow>> {
  const kept = new Map<string, RejectRow>()
  const { files, rejected } = before
  const file = files.rejects
  if (!file || !(await storage.exists(file.path))) return kept
  const isWhole = whole.has('rejects')
  // A key of no row of the source would be one row more than the record counts.
  const expected = new Set(keysOf(before))
  const counts = new Map<string, number>(Object.entries(rejected))
  for await (const { row } of damagedRows(storage.path(file.path), 'rejects', file)) {
    const { key, url, reason, detail } = row as unknown as RejectRow
    if (key === null || !expected.has(key) || images.has(key) || kept.has(key)) continue
    const left = counts.get(reason) ?? 0
    const isText = typeof detail === 'string' && (url === null || typeof url === 'string')
    if (!isWhole && !(left > 0 && isText)) continue
    counts.set(reason, left - 1)
    kept.set(key, { key, url, reason, detail })
  }
  return kept
}

/**
 * The rows of a whole file of gold that are of the pictures that are kept, written anew.
 *
 * @throws UserError where it has other rows than the pictures
 */
export async function keptGold(
  { storage, stage }: Work,
  family: GoldFamily,
  file: ShardFile,
  images: ReadonlyMap<string, Size>,
  files: ShardFiles,
  stats: Stats,
): Promise<ShardFile> {
  async function* rows() {
    for await (const { row } of damagedRows(storage.path(file.path), family, file)) {
      const size = images.get(row.key as string)
      if (!size) continue
      addGold(stats, family, row, size)
      yield row as unknown as Families[GoldFamily]
    }
  }
  const written = await files.write(family, rows())
  if (written.rows === images.size) return written
  throw new UserError(
    `${storage.url}: ${written.rows} rows of ${family} "${stage}" beside ${images.size} pictures: remove the shard's record, and the next run makes it anew.`,
  )
}

function addGold(stats: Stats, family: GoldFamily, row: StoredRow, size: Size) {
  const { phrases, grounding, negatives } = { [family]: row } as unknown as Partial<Families>
  if (phrases) addPhrases(stats, size.captions, phrases.phrases)
  if (grounding) addRegions(stats, size, grounding.regions)
  if (negatives) addNegatives(stats, negatives)
}
