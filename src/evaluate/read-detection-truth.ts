import { UserError } from '../base/user-error.js'
import { numbersOf } from '../formats/box-numbers.js'
import { cocoEntries, cocoFileName } from '../formats/coco-entries.js'
import { compareIds, entryId } from '../formats/entry-id.js'
import { type FileId, type FileIds, numberOf, requireId } from './benchmark-ids.js'
import type { GroundTruth } from './coco-ap.js'
import { type Frequency, hasArea, type LvisTruth } from './lvis-ap.js'

/**
 * A detection benchmark as its official annotation file gives it. Boxes, and what LVIS says, name pictures and
 * categories by their places in the lists here.
 */
export interface DetectionTruth extends FileIds {
  /** In order of their ids; of those with one id the last. `file` is below the folder of pictures. */
  readonly images: readonly { readonly id: FileId; readonly file?: string }[]
  readonly categories: readonly { readonly id: FileId; readonly name?: string }[]
  /** Those of the pictures and categories that are listed. */
  readonly boxes: readonly GroundTruth[]
  /** How many boxes are of pictures or categories that are not listed: they count neither way. */
  readonly unlisted: number
  /** What LVIS says besides, where the file is of LVIS. */
  readonly lvis?: Pick<LvisTruth, 'images' | 'categories'>
  /** Else the first entry for which it is not. */
  readonly notLvis?: string
}

/** By whose rules a file is read: pycocotools' or lvis-api's. */
export type Protocol = 'coco' | 'lvis'

type Json = Readonly<Record<string, unknown>>

/** What is read of an annotation file; what it says of licences has nothing to do with scores. */
const lists = ['images', 'annotations', 'categories'] as const

/**
 * Reads annotations in COCO's or LVIS' form, entry by entry: such a file may be larger than a string may be,
 * and only what scoring needs is kept. LVIS' outlines are most of its 200 MB.
 *
 * What the official programs read of odd files is read the same (`officialBoxes`), but for ids: 1 and "1" are
 * one, as they are in every reader here.
 *
 * @throws UserError that names the file and its first fault
 */
export async function readDetectionTruth(path: string, protocol: Protocol = 'coco'): Promise<DetectionTruth> {
  const images = new Map<string, { readonly id: FileId; readonly file?: string; readonly entry: Json }>()
  const categories = new Map<string, { readonly id: FileId; readonly name?: string; readonly entry: Json }>()
  const annotations: FileBox[] = []
  for await (const { list, index, value } of cocoEntries(path, lists, lists)) {
    const place = `${path}: ${list}[${index}]`
    const entry = (value ?? {}) as Json
    if (list === 'annotations') annotations.push(annotationOf(entry, place, protocol))
    else {
      const id = requireId(entry.id, `${place}.id`)
      if (list === 'images') {
        const file = cocoFileName(entry)
        images.set(id.key, { id: id.raw, ...(file !== undefined && { file }), entry: lvisKeys(entry) })
      } else {
        const { name } = entry
        categories.set(id.key, {
          id: id.raw,
          ...(typeof name === 'string' && { name }),
          entry: lvisKeys(entry),
        })
      }
    }
  }
  const imageIds = sortedIds(images)
  const categoryIds = sortedIds(categories)
  const placeOf = { image: placesOf(imageIds), category: placesOf(categoryIds) }
  const imageList = imageIds.map((key) => images.get(key)!)
  const categoryList = categoryIds.map((key) => categories.get(key)!)
  const lvis = lvisLists(imageList, categoryList, placeOf.category)
  return {
    path,
    images: imageList.map(({ entry: _, ...image }) => image),
    categories: categoryList.map(({ entry: _, ...category }) => category),
    places: placeOf,
    boxes: officialBoxes(annotations, placeOf, protocol),
    unlisted: annotations.filter(
      ({ image = '', category = '' }) => !placeOf.image.has(image) || !placeOf.category.has(category),
    ).length,
    ...(typeof lvis === 'string' ? { notLvis: lvis } : { lvis }),
  }
}

/** Ids in the order in which Python sorts them: texts, where all are, by their letters. */
function sortedIds(entries: ReadonlyMap<string, { readonly id: FileId }>): string[] {
  const keys = [...entries.keys()]
  const isOfTexts = [...entries.values()].every(({ id }) => typeof id === 'string')
  return isOfTexts ? keys.sort() : keys.sort(compareIds)
}

const placesOf = (keys: readonly string[]): ReadonlyMap<string, number> =>
  new Map(keys.map((key, place) => [key, place]))

/** An annotation before it is known which pictures and categories there are. */
interface FileBox extends Omit<GroundTruth, 'image' | 'category'> {
  /** Undefined where the annotation has none, as the next: to the official programs such a box is of no picture. */
  readonly image: string | undefined
  readonly category: string | undefined
  /** Undefined where the annotation has none: then it is one of its own. */
  readonly id: string | undefined
}

function annotationOf(annotation: Json, place: string, protocol: Protocol): FileBox {
  // Numbers that are texts are numbers to numpy, which pycocotools gives them to.
  const sides = numbersOf(annotation.bbox)
  if (sides?.length !== 4) throw new UserError(`${place}.bbox: expected x, y, width and height.`)
  const bbox = sides as unknown as GroundTruth['bbox']
  const { id, area, iscrowd, ignore } = annotation
  return {
    image: entryId(annotation.image_id),
    category: entryId(annotation.category_id),
    // To Python 1 and "1" are two annotations.
    id: typeof id === 'string' ? JSON.stringify(id) : entryId(id),
    bbox,
    // Some of ODinW's files have none.
    area: area === undefined ? bbox[2] * bbox[3] : numberOf(area, `${place}.area`),
    ...(protocol === 'lvis'
      ? { iscrowd: false, ...(isTrue(ignore) && { ignore: true }) }
      : crowdOf(iscrowd, `${place}.iscrowd`)),
    ...(entryId(id) === '0' && { idZero: true }),
  }
}

/**
 * Of COCO's files pycocotools overwrites `ignore` by `iscrowd`, which it reads twice: as a truth, by which the
 * box need not be found, and as a whole number, by which it is matched as a crowd: "0" is a text, and so true.
 */
function crowdOf(value: unknown, place: string): Pick<GroundTruth, 'iscrowd' | 'ignore'> {
  if (value === undefined) return { iscrowd: false }
  const isWhole = typeof value === 'string' ? /^\s*[+-]?\d+\s*$/.test(value) : isNumeric(value)
  if (!isWhole) throw new UserError(`${place}: expected 0 or 1.`)
  const iscrowd = Math.trunc(Number(value)) !== 0
  return { iscrowd, ...(isTrue(value) && !iscrowd && { ignore: true }) }
}

const isNumeric = (value: unknown) =>
  typeof value === 'boolean' || typeof value === 'bigint' || Number.isFinite(value)

/** What Python takes for true. */
const isTrue = (value: unknown) =>
  Array.isArray(value)
    ? value.length > 0
    : typeof value === 'object' && value !== null
      ? Object.keys(value).length > 0
      : value !== undefined && value !== '' && (Number.isNaN(value) || Boolean(value))

/**
 * The boxes that pycocotools and lvis-api score, in their order: picture by picture, those of listed
 * categories, and to lvis-api of some area. Of annotations with one id each stands for the last of them,
 * wherever that is.
 */
function officialBoxes(
  annotations: readonly FileBox[],
  places: { readonly image: ReadonlyMap<string, number>; readonly category: ReadonlyMap<string, number> },
  protocol: Protocol,
): GroundTruth[] {
  const last = new Map<string, FileBox>()
  for (const box of annotations) if (box.id !== undefined) last.set(box.id, box)
  const listed = annotations.filter(
    ({ image = '', category = '', area }) =>
      places.image.has(image) && places.category.has(category) && (protocol === 'coco' || hasArea(area)),
  )
  return listed
    .sort((a, b) => places.image.get(a.image ?? '')! - places.image.get(b.image ?? '')!)
    .flatMap((own): GroundTruth[] => {
      const { id: _, ...box } = own.id === undefined ? own : (last.get(own.id) ?? own)
      const image = places.image.get(box.image ?? '')
      const category = places.category.get(box.category ?? '')
      return image === undefined || category === undefined ? [] : [{ ...box, image, category }]
    })
}

/** What LVIS says of a picture and of a category; all else of an entry is not kept. */
const lvisKeys = ({ neg_category_ids, not_exhaustive_category_ids, frequency }: Json): Json => ({
  neg_category_ids,
  not_exhaustive_category_ids,
  frequency,
})

/**
 * What LVIS says besides: of each picture what it was searched for, and of each category how often it is
 * seen; or which entry does not say it.
 */
function lvisLists(
  images: readonly { readonly id: FileId; readonly entry: Json }[],
  categories: readonly { readonly id: FileId; readonly entry: Json }[],
  places: ReadonlyMap<string, number>,
): Pick<LvisTruth, 'images' | 'categories'> | string {
  const image = images.find(({ entry }) => !Array.isArray(entry.neg_category_ids))
  if (image) return `image ${image.id} has no list neg_category_ids`
  const category = categories.find(({ entry }) => !['r', 'c', 'f'].includes(entry.frequency as string))
  if (category) return `category ${category.id} has no frequency r, c or f`
  const placesIn = (ids: unknown) =>
    (Array.isArray(ids) ? ids : []).flatMap((id) => places.get(entryId(id) ?? '') ?? [])
  return {
    images: images.map(({ entry }, id) => ({
      id,
      negative: placesIn(entry.neg_category_ids),
      notExhaustive: placesIn(entry.not_exhaustive_category_ids),
    })),
    categories: categories.map(({ entry }, id) => ({ id, frequency: entry.frequency as Frequency })),
  }
}
