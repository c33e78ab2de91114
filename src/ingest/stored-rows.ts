import { hashBytes } from '../base/hash.js'
import { parseJson, stringifyJson } from '../base/parse-json.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { GroundingRow, ImageRow, NegativeRow, PhraseRow, RejectRow } from '../rows/rows.js'
import type { CommitRecord } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import { unknownConfig } from '../shards/restore-record.js'
import { damagedInput } from '../shards/salvage-shard.js'
import type { ShardPlace } from '../shards/shard-place.js'
import { ShardRows } from '../shards/shard-rows.js'
import type { SourceConfig } from './config.js'
import type { TdmReservation } from './fetch/opt-out.js'
import { type GoldRows, goldRows, type StoredPicture } from './gold-rows.js'
import type { ImageConfig } from './image/image-config.js'
import { type Ingested, ingestRow, metaOf, storedUrl } from './ingest-row.js'
import type { SourceRow } from './read/source-row.js'

/**
 * Rows that a shard has already: what was crawled once is not crawled again because rows beside it are
 * others.
 */
export interface StoredRows {
  /** What the record says of who crawled them; undefined where it says nothing. */
  readonly crawler: unknown

  /** Whether something is there of a row's address. */
  has(row: SourceRow): boolean
  /**
   * What became of a row before, under the key that it has now. Undefined where the shard does not have it,
   * or has it with other captions, boxes or notes.
   */
  find(row: SourceRow, key: string): Promise<Ingested | undefined>
  close(): Promise<void>
}

/** What a shard has of a picture. */
interface Kept extends Gold {
  readonly image: ImageRow
}
type Gold = {
  readonly [Family in 'phrases' | 'grounding' | 'negatives']?:
    | { phrases: PhraseRow; grounding: GroundingRow; negatives: NegativeRow }[Family]
    | undefined
}

/** Reasons that are of a row's words and boxes as well as of its picture. */
const reasonsOfRow = new Set(['empty_caption', 'size_mismatch'])

/**
 * Opens the rows of a shard that is there, of a configuration that gives the same pictures. Only what was
 * fetched is found: what lies on the disk or in the source itself is read again. Of a shard that was damaged
 * (`salvageShard`) the pictures that came in as they are stored are taken as if they came in once more, and
 * nothing else of their rows.
 *
 * @param made the shard's record
 * @param hasBoxes whether the source has boxes
 * @param isRetried for what reasons rows that were rejected are fetched again
 * @throws UserError where the shard cannot be read
 */
export async function openStoredRows(
  { storage, stage, shard }: ShardPlace,
  made: CommitRecord,
  config: SourceConfig,
  hasBoxes: boolean,
  isRetried: (reason: string) => boolean,
): Promise<StoredRows> {
  const keys: string[] = []
  const places = new Map<string, number[]>()
  for await (const { key, url } of readShard(storage, 'images', null, shard, { columns: ['key', 'url'] })) {
    const at = keys.push(key) - 1
    if (url !== null) places.set(url, [...(places.get(url) ?? []), at])
  }
  const rejects = new Map<string, RejectRow>()
  if (made.files.rejects)
    for await (const row of readShard(storage, 'rejects', stage, shard))
      if (row.url !== null && !reasonsOfRow.has(row.reason) && !isRetried(row.reason))
        rejects.set(row.url, row)
  const gold = hasBoxes ? await goldOf({ storage, stage, shard }, made) : []
  const images = new ShardRows(storage)
  const isMended = made.inputs[damagedInput] !== undefined
  // How its pictures were made nobody knows: only what came in as it is stored can be made anew of it.
  const isUnknown = made.configHash === unknownConfig
  const kept = async (at: number): Promise<Kept | undefined> => {
    const range = { start: at, end: at + 1 }
    // What can no longer be read, or was replaced meanwhile, is fetched again.
    const [image] = await images.read('images', null, shard, range).catch(() => [])
    if (!image || image.key !== keys[at]) return undefined
    return hasBoxes ? { ...gold[at], image } : { image }
  }
  return {
    crawler: made.config?.crawler,
    has(row) {
      const { load, file, problem } = row
      const url = storedUrl(row)
      return (
        url !== null && load === null && file === null && !problem && (places.has(url) || rejects.has(url))
      )
    },
    async find(row, key) {
      const url = storedUrl(row)
      if (url === null) return undefined
      for (const at of places.get(url) ?? []) {
        const one = await kept(at)
        if (!one) continue
        const same =
          (isMended && (await madeAnew(row, one.image, key, config))) ||
          (!isUnknown && sameRow(row, one, key, config, hasBoxes))
        if (same) return same
      }
      const reject = rejects.get(url)
      const saysSomething = row.captions.length > 0 || row.regions?.length || row.negatives.length > 0
      return reject && saysSomething ? { kind: 'reject', reject: { ...reject, key }, dropped: [] } : undefined
    },
    close: () => images.close(),
  }
}

/** What the shard has of boxes, picture by picture; nothing where an older version left a part of it out. */
async function goldOf({ storage, stage, shard }: ShardPlace, { files }: CommitRecord): Promise<Gold[]> {
  if (!files.phrases || !files.grounding || !files.negatives) return []
  const gold: { -readonly [Family in keyof Gold]: Gold[Family] }[] = []
  const at = (index: number) => (gold[index] ??= {})
  let index = 0
  for await (const row of readShard(storage, 'phrases', stage, shard)) at(index++).phrases = row
  index = 0
  for await (const row of readShard(storage, 'grounding', stage, shard)) at(index++).grounding = row
  index = 0
  for await (const row of readShard(storage, 'negatives', stage, shard)) at(index++).negatives = row
  return gold
}

/**
 * What comes of a row whose picture is there as it came in; undefined where it was encoded anew, or where
 * nothing would come of it now.
 */
async function madeAnew(
  row: SourceRow,
  { image: { bytes }, sha256, meta }: ImageRow,
  key: string,
  config: SourceConfig,
): Promise<Ingested | undefined> {
  if (hashBytes(bytes) !== sha256) return undefined
  const { tdm } = notesIn(meta)
  const stored = { fetch: async () => ({ bytes, ...(tdm && { tdm }) }) }
  const made = await ingestRow(row, key, config, stored)
  return made.kind === 'row' ? made : undefined
}

/** A stored picture under a new key, where making its row anew would give the same. */
function sameRow(
  row: SourceRow,
  { image, ...stored }: Kept,
  key: string,
  config: SourceConfig,
  hasBoxes: boolean,
): Ingested | undefined {
  const { orientation, tdm } = notesIn(image.meta)
  if (image.license !== (row.license ?? config.license ?? null)) return undefined
  if (image.meta !== metaOf(row, orientation, tdm)) return undefined
  const picture = pictureOf(row, image, stored.grounding?.scale, orientation, config.image)
  if (!picture) return undefined
  const gold = goldRows(row, picture, config.prompt, row.place)
  if (!isSame(gold.captions.map(captionParts), image.captions.map(captionParts))) return undefined
  if (hasBoxes && !isSameGold(gold, stored)) return undefined
  const { phrases, regions, ignored, absence } = gold
  return {
    kind: 'row',
    image: { ...image, key },
    phrases: { ...(stored.phrases ?? { phrases }), key },
    grounding: { ...(stored.grounding ?? { regions, ignored }), key },
    negatives: { ...(stored.negatives ?? absence), key },
    dropped: [row.dropped, gold.dropped],
    ...(tdm && { tdm }),
  }
}

const captionParts = ({ text, kind }: ImageRow['captions'][number]) => [text, kind]

/** What ingest itself has noted of a picture. */
function notesIn(meta: string | null): {
  readonly orientation: number
  readonly tdm: TdmReservation | undefined
} {
  const notes = (meta === null ? {} : parseJson(meta)) as Readonly<Record<string, unknown>>
  const { exif_orientation, tdm_reservation, tdm_policy } = notes
  const policy = typeof tdm_policy === 'string' ? tdm_policy : null
  return {
    orientation: typeof exif_orientation === 'number' ? exif_orientation : 1,
    tdm: tdm_reservation === undefined ? undefined : { reserved: tdm_reservation === 1, policy },
  }
}

/**
 * How the row's boxes lie in the stored picture; undefined where that cannot be told any more: behind a
 * border, where it was cropped or turned, or is described in another size now.
 */
function pictureOf(
  { regions, ignored, boxUnit, size }: SourceRow,
  { width, height }: Pick<ImageRow, 'width' | 'height'>,
  scale: number | null | undefined,
  orientation: number,
  { resize }: ImageConfig,
): StoredPicture | undefined {
  const offset = [0, 0] as const
  if (!regions?.length && ignored.length === 0) return { width, height, scale: [1, 1], offset }
  if (orientation !== 1 || resize === 'border' || resize === 'center_crop' || !scale) return undefined
  if (boxUnit === 'share') return { width, height, scale: [width, height], offset }
  if (size && Math.abs(width / size.width - scale) > 1e-6 * scale) return undefined
  return { width, height, scale: [scale, scale], offset }
}

function isSameGold(gold: GoldRows, { phrases, grounding, negatives }: Gold): boolean {
  if (!phrases || !grounding || !negatives) return false
  const ignored = grounding.ignored ?? []
  return (
    isSame(gold.phrases.map(phraseParts), phrases.phrases.map(phraseParts)) &&
    isSame(gold.regions.map(regionParts), grounding.regions.map(regionParts)) &&
    gold.regions.every((region, at) => isNear(region, grounding.regions[at])) &&
    isSame(gold.ignored.map(ignoredParts), ignored.map(ignoredParts)) &&
    gold.ignored.every((region, at) => isNear(region, ignored[at])) &&
    isSame(absenceParts(gold.absence), absenceParts(negatives))
  )
}

const phraseParts = ({ caption, text, start, end, head }: PhraseRow['phrases'][number]) => [
  caption,
  text,
  start,
  end,
  head,
]
// Scores are stored in 32 bits.
const regionParts = ({ caption, phrase, start, end, score, origin }: GroundingRow['regions'][number]) => [
  caption,
  phrase,
  start,
  end,
  Math.fround(score),
  origin,
]
const ignoredParts = ({ text, crowd }: { readonly text: string; readonly crowd: boolean }) => [text, crowd]
const absenceParts = ({ negatives, exhaustive, partial }: GoldRows['absence']) => [
  negatives.map(({ text }) => text),
  exhaustive,
  partial,
]

const isSame = (a: unknown, b: unknown) => stringifyJson(a) === stringifyJson(b)

interface Box {
  readonly xyxy: Xyxy
  readonly area?: number | null
}

/** Whether it is the same box: the sides of a picture were rounded when it was scaled. */
function isNear(a: Box, b: Box | undefined): boolean {
  if (!b || typeof a.area !== typeof b.area) return false
  const [area, other] = [a.area ?? 0, b.area ?? 0]
  return (
    a.xyxy.every((side, index) => Math.abs(side - (b.xyxy[index] ?? Number.NaN)) <= 1) &&
    Math.abs(area - other) <= 1 + 0.02 * Math.abs(other)
  )
}
