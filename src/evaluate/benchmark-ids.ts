/** Ids of a benchmark's files, and detections that name pictures and categories by them. */
import { counted } from '../base/counted.js'
import { nameList } from '../base/name-list.js'
import { stringifyJson } from '../base/parse-json.js'
import { UserError } from '../base/user-error.js'
import { entryId } from '../formats/entry-id.js'
import { readJsonList } from '../formats/read-json-list.js'
import { type Detection, DetectionTable } from './box-table.js'

/** An id as a file writes it. */
export type FileId = string | number | bigint

/** What a file of truth calls its pictures (or pairs) and categories; inside they are called by their places. */
export interface FileIds {
  /** For messages. */
  readonly path: string
  readonly images: readonly { readonly id: FileId; readonly file?: string }[]
  readonly categories: readonly { readonly id: FileId }[]
  /** Places in these lists by `entryId`. */
  readonly places: {
    readonly image: ReadonlyMap<string, number>
    readonly category: ReadonlyMap<string, number>
  }
}

/** An id as the file writes it, and as the one text by which it is compared. */
export function requireId(value: unknown, place: string): { readonly raw: FileId; readonly key: string } {
  const key = entryId(value)
  if (key === undefined) throw new UserError(`${place}: expected an id, a number or a text.`)
  return { raw: value as FileId, key }
}

/** A number, NaN and infinity among them, also where a program has written it as a text. */
export function numberOf(value: unknown, place: string): number {
  if (typeof value === 'number') return value
  const number = typeof value === 'bigint' ? Number(value) : typeof value === 'string' ? Number(value) : NaN
  if (Number.isNaN(number) || (typeof value === 'string' && value.trim() === ''))
    throw new UserError(`${place}: expected a number.`)
  return number
}

/** Four finite numbers: x, y, width and height; undefined where it is something else. */
export function boxOf(value: unknown): Detection['bbox'] | undefined {
  if (!Array.isArray(value) || value.length !== 4) return undefined
  if (value.every(Number.isFinite)) return value as unknown as Detection['bbox']
  const sides = value.map((side) => (typeof side === 'bigint' ? Number(side) : side))
  return sides.every(Number.isFinite) ? (sides as unknown as Detection['bbox']) : undefined
}

/** How many ids a message names. */
const namedIds = 10

/**
 * Refuses answers about what the truth does not have, as the official programs do: an answer to another
 * question is no wrong one, and to leave it out would hide that the files do not belong together.
 *
 * @param what is answered about, such as `pictures`
 * @param foreign what the truth `truth` does not have, by its names; none are fine
 * @param hint what else there is to say of them
 */
export function refuseForeign(
  path: string,
  what: string,
  foreign: Iterable<FileId>,
  truth: string,
  hint = '',
): void {
  const ids = [...new Set([...foreign].map(String))]
  if (ids.length === 0) return
  throw new UserError(
    `${path}: it has answers about ${counted(ids.length, what.replace(/s$/, ''))} that ${truth} does not have: ${shownIds(ids)}. ${hint}` +
      'Give the truth that the model was asked about, or take these answers out.',
  )
}

/**
 * Reads detections in COCO's result form: a list of image_id, category_id, bbox and score. They are of places
 * in the lists of the truth; of a category that it does not list, -1.
 *
 * @param what the truth calls its pictures, in messages
 * @param notice told of detections of categories that the truth does not list: they count neither way
 * @throws UserError where the file is of another form, or has detections of pictures that the truth has not
 */
export async function readDetections(
  path: string,
  truth: FileIds,
  what = 'pictures',
  notice: (text: string) => void = () => {},
): Promise<DetectionTable> {
  const { places } = truth
  const detections = new DetectionTable()
  const foreign: string[] = []
  const unlisted = new Map<string, number>()
  const add = (value: unknown) => {
    const entry = (value ?? {}) as Readonly<Record<string, unknown>>
    const [image, category] = [entryId(entry.image_id), entryId(entry.category_id)]
    const bbox = boxOf(entry.bbox)
    const score = typeof entry.score === 'bigint' ? Number(entry.score) : entry.score
    if (image === undefined || category === undefined || typeof score !== 'number' || !bbox) {
      const isMask = entry.bbox === undefined && entry.segmentation !== undefined
      throw new UserError(
        `${path}: [${detections.length}]: expected image_id, category_id, score and a bbox of four numbers${isMask ? '; it has a mask alone, and boxes are scored' : ''}.`,
      )
    }
    const place = places.image.get(image)
    if (place === undefined) foreign.push(image)
    if (!places.category.has(category)) unlisted.set(category, (unlisted.get(category) ?? 0) + 1)
    detections.push({ image: place ?? -1, category: places.category.get(category) ?? -1, bbox, score })
  }
  for await (const values of readJsonList(path, 'a list of detections')) values.forEach(add)
  refuseForeign(path, what, foreign, truth.path, fileNameHint(foreign, truth))
  const others = [...unlisted.values()].reduce((sum, count) => sum + count, 0)
  if (others > 0)
    notice(
      `${path}: ${others} of ${detections.length} detections are of categories that ${truth.path} does not list (${shownIds([...unlisted.keys()])}); they count neither way. It lists ${shownIds(truth.categories.map(({ id }) => String(id)))}.`,
    )
  return detections
}

const shownIds = (ids: readonly string[]) => nameList(ids, undefined, namedIds)

/** For answers that call pictures by their files, with an ending or without. */
function fileNameHint(foreign: readonly string[], { images }: FileIds): string {
  if (foreign.length === 0) return ''
  const stem = (name: string) => name.replace(/^.*[\\/]/s, '').replace(/\.[^.]*$/, '')
  const named = new Map(images.flatMap(({ id, file }) => (file === undefined ? [] : [[stem(file), id]])))
  const found = foreign.find((id) => named.has(stem(id)))
  if (found === undefined) return ''
  return `These look like names of files: what is wanted is the id, which of ${found} is ${named.get(stem(found))}. `
}

/** Letters that are written together: a row at a time takes longer to write than to make. */
const pieceLength = 2 ** 16

/**
 * Detections in COCO's result form, with the ids of the truth as its file has them; numbers are not rounded.
 *
 * @returns many rows at a time: all of LVIS' are more than one text may be
 */
export function* detectionsJson(
  detections: Iterable<Detection>,
  { images, categories }: Pick<FileIds, 'images' | 'categories'>,
): Generator<string> {
  let piece = ''
  let before = '['
  for (const { image, category, bbox, score } of detections) {
    const row = { image_id: images[image]?.id, category_id: categories[category]?.id, bbox, score }
    piece += `${before}${stringifyJson(row)}`
    before = ',\n'
    if (piece.length < pieceLength) continue
    yield piece
    piece = ''
  }
  yield `${piece}${before === '[' ? '[' : ''}]\n`
}
