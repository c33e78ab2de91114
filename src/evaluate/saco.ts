/** SA-Co (SAM 3's benchmark): pairs of a picture and a phrase, each with the boxes of several annotators. */
import { nameList, pathList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { cocoEntries, cocoFileName } from '../formats/coco-entries.js'
import { compareIds } from '../formats/entry-id.js'
import { boxOf, type FileId, type FileIds, numberOf, requireId } from './benchmark-ids.js'
import type { Detection } from './box-table.js'
import { cgF1 } from './cg-f1.js'
import type { CgF1Summary } from './pair-counts.js'

/** A pair that is asked: a phrase and the picture it is looked for in. */
export interface SacoPair {
  /** Its place among all pairs of the first file, by which boxes and predictions name it. */
  readonly place: number
  readonly text: string
  /** The picture's file below the folder of pictures, where the truth names it. */
  readonly file: string | undefined
  /** In pixels, where the truth says them; boxes of a model are brought into shares by them. */
  readonly width: number | undefined
  readonly height: number | undefined
}

interface SacoBox {
  readonly pair: number
  readonly category: number
  readonly bbox: readonly [number, number, number, number]
  readonly iscrowd: boolean
}

export interface SacoTruth extends FileIds {
  /** All pairs of the first file. */
  readonly images: readonly { readonly id: FileId }[]
  /** Those of the files, none of which has a meaning, in order of their ids. */
  readonly categories: readonly { readonly id: FileId }[]
  /** Pairs that count: those that every annotator has boxed exhaustively, in the first file's order. */
  readonly pairs: readonly SacoPair[]
  /** By annotator; boxes of pairs that do not count are among them. */
  readonly truths: readonly (readonly SacoBox[])[]
  /** Whether boxes are in shares of the picture, as the official ones are, or in pixels. */
  readonly isNormalised: boolean
}

type Json = Readonly<Record<string, unknown>>

/** What one annotator's file holds, by the text of ids (`entryId`). */
interface SacoFile {
  readonly path: string
  readonly pairs: ReadonlyMap<string, FilePair>
  readonly boxes: readonly (Pick<SacoBox, 'bbox' | 'iscrowd'> & {
    readonly pair: string
    readonly category: string
  })[]
  readonly categories: ReadonlyMap<string, FileId>
}

interface FilePair extends Omit<SacoPair, 'place'> {
  readonly id: FileId
  readonly isExhaustive: boolean
}

const lists = ['images', 'annotations', 'categories'] as const

/**
 * Reads the files of SA-Co/Gold (three), SA-Co/Silver (one), or others of their form: COCO's, in which an
 * entry of `images` is a pair, with `text_input` and `is_instance_exhaustive`. A pair without annotations is
 * one whose thing is not in the picture.
 *
 * @param paths one or several annotators' files of the same pairs
 * @throws UserError that names the file and its first fault, or the first pair on which files disagree, and
 *   where no pair counts
 */
export async function readSacoTruth(paths: readonly string[]): Promise<SacoTruth> {
  const files: SacoFile[] = []
  for (const path of paths) files.push(await readFile(path))
  const [first] = files
  if (!first) throw new Error('there are no files to read')
  for (const other of files.slice(1)) requireSame(first, other)
  const all = [...first.pairs].map(([key, pair], place) => ({ key, place, ...pair }))
  const pairs = all.filter(({ key }) => files.every((file) => file.pairs.get(key)?.isExhaustive))
  if (pairs.length === 0)
    throw new UserError(`${pathList(paths)}: no pair is boxed exhaustively (is_instance_exhaustive) in all.`)
  const categories = [...first.categories].sort(([a], [b]) => compareIds(a, b))
  const places = {
    image: new Map(all.map(({ key, place }) => [key, place])),
    category: new Map(categories.map(([key], place) => [key, place])),
  }
  const truths = files.map(({ boxes }) =>
    boxes.map(
      ({ pair, category, ...box }): SacoBox => ({
        ...box,
        pair: places.image.get(pair) ?? -1,
        category: places.category.get(category) ?? -1,
      }),
    ),
  )
  return {
    path: first.path,
    images: all.map(({ id }) => ({ id })),
    categories: categories.map(([, id]) => ({ id })),
    places,
    pairs: pairs.map(({ place, text, file, width, height }) => ({ place, text, file, width, height })),
    truths,
    isNormalised: !truths.some((boxes) => boxes.some(isOfPixels)),
  }
}

async function readFile(path: string): Promise<SacoFile> {
  const pairs = new Map<string, FilePair>()
  const categories = new Map<string, FileId>()
  const boxes: SacoFile['boxes'][number][] = []
  for await (const { list, index, value } of cocoEntries(path, lists, lists)) {
    const place = `${path}: ${list}[${index}]`
    const entry = (value ?? {}) as Json
    if (list === 'images') {
      const { key, raw } = requireId(entry.id, `${place}.id`)
      if (pairs.has(key)) throw new UserError(`${place}.id: there are several pairs ${key}.`)
      pairs.set(key, { id: raw, ...pairOf(entry, place) })
    } else if (list === 'categories') {
      const { key, raw } = requireId(entry.id, `${place}.id`)
      categories.set(key, raw)
    } else boxes.push(annotationOf(entry, place))
  }
  const stray = boxes.find(({ pair, category }) => !pairs.has(pair) || !categories.has(category))
  if (stray)
    throw new UserError(
      `${path}: annotations: there is no pair ${stray.pair} or no category ${stray.category}, of which a box is.`,
    )
  return { path, pairs, boxes, categories }
}

function pairOf(image: Json, place: string) {
  const { text_input: text, is_instance_exhaustive: isExhaustive } = image
  if (typeof text !== 'string' || text.trim() === '')
    throw new UserError(`${place}.text_input: expected the phrase of the pair.`)
  if (typeof isExhaustive !== 'boolean' && isExhaustive !== 0 && isExhaustive !== 1)
    throw new UserError(`${place}.is_instance_exhaustive: expected 0 or 1.`)
  return {
    text,
    file: cocoFileName(image),
    width: image.width === undefined ? undefined : numberOf(image.width, `${place}.width`),
    height: image.height === undefined ? undefined : numberOf(image.height, `${place}.height`),
    isExhaustive: Boolean(isExhaustive),
  }
}

function annotationOf(annotation: Json, place: string): SacoFile['boxes'][number] {
  const bbox = boxOf(annotation.bbox)
  if (!bbox) throw new UserError(`${place}.bbox: expected x, y, width and height.`)
  return {
    pair: requireId(annotation.image_id, `${place}.image_id`).key,
    category: requireId(annotation.category_id, `${place}.category_id`).key,
    bbox,
    iscrowd: Boolean(annotation.iscrowd),
  }
}

/** Annotators must have been asked the same. */
function requireSame(first: SacoFile, other: SacoFile): void {
  for (const [key, { text }] of first.pairs) {
    const same = other.pairs.get(key)
    if (same?.text === text) continue
    const found = same ? `"${same.text}" is asked` : 'there is no such pair'
    throw new UserError(`${first.path} asks "${text}" in pair ${key}; in ${other.path} ${found}.`)
  }
  const odd = [...other.categories.keys()].find((category) => !first.categories.has(category))
  if (odd !== undefined) throw new UserError(`${other.path} has a category ${odd}, ${first.path} has none.`)
}

/** Whether a box reaches to two times the side of a picture of 1, over whose border it may only lean. */
const isOfPixels = ({ bbox }: { readonly bbox: SacoBox['bbox'] }): boolean =>
  bbox[0] + bbox[2] > 2 || bbox[1] + bbox[3] > 2

/**
 * cgF1 and what it is made of, by the annotator of each pair whom the predictions suit best.
 *
 * @param detections whose image is the place of the pair, in the units of the truth; those of pairs that do
 * not count do not either
 * @throws UserError where they are of a category that the files do not have, or plainly in other units
 */
export function sacoScores(
  { images, pairs, truths, categories, isNormalised }: SacoTruth,
  detections: Iterable<Detection>,
  confidence: number,
): CgF1Summary {
  const predictions = [...detections]
  const odd = predictions.find(({ category }) => categories[category] === undefined)
  if (odd)
    throw new UserError(
      `A prediction for pair ${images[odd.image]?.id} is of a category that the truth does not have: it has ${nameList(categories.map(({ id }) => String(id)))}.`,
    )
  const isInPixels = predictions.some(isOfPixels)
  const isComparable = predictions.length > 0 && truths.some((boxes) => boxes.length > 0)
  if (isComparable && isInPixels === isNormalised) {
    const [of, and] = isInPixels ? ['pixels', 'shares of the picture'] : ['shares of the picture', 'pixels']
    throw new UserError(`The predictions are in ${of}; the boxes of the truth are in ${and}.`)
  }
  const places = new Map(pairs.map(({ place }, at) => [place, at]))
  const gold = truths.map((truth) => {
    const boxes = byCategory(truth)
    const iscrowd = Uint8Array.from(boxes, (box) => (box.iscrowd ? 1 : 0))
    return {
      pair: Int32Array.from(boxes, ({ pair }) => places.get(pair) ?? -1),
      bbox: bboxes(boxes),
      iscrowd,
    }
  })
  const boxes = byCategory(predictions)
  const found = {
    pair: Int32Array.from(boxes, ({ image }) => places.get(image) ?? -1),
    bbox: bboxes(boxes),
    scores: Float64Array.from(boxes, ({ score }) => score),
  }
  return cgF1(pairs.length, gold, found, confidence)
}

/** The official code gathers the boxes of a pair category by category. */
const byCategory = <Box extends { readonly category: number }>(boxes: readonly Box[]): readonly Box[] =>
  boxes.every(({ category }) => category === boxes[0]?.category)
    ? boxes
    : [...boxes].sort((a, b) => a.category - b.category)

function bboxes(boxes: readonly { readonly bbox: SacoBox['bbox'] }[]): Float64Array {
  const columns = new Float64Array(4 * boxes.length)
  let at = 0
  for (const { bbox } of boxes) for (const value of bbox) columns[at++] = value
  return columns
}
