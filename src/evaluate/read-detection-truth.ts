import { UserError } from '../base/user-error.js'
import { cocoEntries, cocoFileName } from '../formats/coco-entries.js'
import { readJsonList } from '../formats/read-json-list.js'
import type { Detection, GroundTruth } from './coco-ap.js'
import type { Frequency, LvisTruth } from './lvis-ap.js'

/** A detection benchmark as its official annotation file gives it. */
export interface DetectionTruth {
  /** In the file's order. */
  readonly images: readonly { readonly id: number; readonly file: string }[]
  /** In order of id. */
  readonly categories: readonly { readonly id: number; readonly name: string }[]
  readonly boxes: readonly GroundTruth[]
  /** What LVIS says besides, where the file is of LVIS. */
  readonly lvis?: Pick<LvisTruth, 'images' | 'categories'>
}

type Json = Readonly<Record<string, unknown>>

/** What is read of an annotation file; what it says of licences has nothing to do with scores. */
const lists = ['images', 'annotations', 'categories'] as const

/**
 * Reads annotations in COCO's or LVIS' form, entry by entry: such a file may be larger than a string may be,
 * and only what scoring needs is kept. LVIS' outlines are most of its 200 MB.
 *
 * @throws UserError that names the file and its first fault
 */
export async function readDetectionTruth(path: string): Promise<DetectionTruth> {
  const images: { id: number; file: string }[] = []
  const categories: { id: number; name: string }[] = []
  const boxes: GroundTruth[] = []
  const lvis = lvisLists()
  for await (const { list, index, value } of cocoEntries(path, lists, lists)) {
    const place = `${path}: ${list}[${index}]`
    const entry = (value ?? {}) as Json
    if (list === 'images') {
      const image = imageOf(entry, place)
      images.push(image)
      lvis.addImage(image.id, entry)
    } else if (list === 'categories') {
      const { name } = entry
      const id = numberOf(entry.id, `${place}.id`)
      if (typeof name !== 'string') throw new UserError(`${place}.name: expected a text.`)
      categories.push({ id, name })
      lvis.addCategory(id, entry)
    } else boxes.push(boxOf(entry, place))
  }
  return { images, categories: categories.sort((a, b) => a.id - b.id), boxes, lvis: lvis.found() }
}

function numberOf(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new UserError(`${place}: expected a number.`)
  return value
}

function imageOf(image: Json, place: string): DetectionTruth['images'][number] {
  const id = numberOf(image.id, `${place}.id`)
  const file = cocoFileName(image)
  if (file === undefined) throw new UserError(`${place}: expected file_name or coco_url.`)
  return { id, file }
}

function boxOf(annotation: Json, place: string): GroundTruth {
  const { bbox, area, iscrowd } = annotation
  if (!isBox(bbox)) throw new UserError(`${place}.bbox: expected x, y, width and height.`)
  return {
    image: numberOf(annotation.image_id, `${place}.image_id`),
    category: numberOf(annotation.category_id, `${place}.category_id`),
    bbox,
    // Some of ODinW's files have none.
    area: typeof area === 'number' ? area : bbox[2] * bbox[3],
    iscrowd: iscrowd === 1 || iscrowd === true,
  }
}

export const isBox = (value: unknown): value is GroundTruth['bbox'] =>
  Array.isArray(value) && value.length === 4 && value.every(Number.isFinite)

/**
 * What LVIS says besides: of each picture what it was searched for, and of each category how often it is
 * seen.
 */
function lvisLists() {
  let isLvis = true
  const images: LvisTruth['images'][number][] = []
  const categories: LvisTruth['categories'][number][] = []
  return {
    addImage(id: number, { neg_category_ids: negative, not_exhaustive_category_ids: notExhaustive }: Json) {
      isLvis &&= Array.isArray(negative)
      if (!isLvis) return
      images.push({
        id,
        negative: negative as number[],
        notExhaustive: (notExhaustive ?? []) as number[],
      })
    },
    addCategory(id: number, { frequency }: Json) {
      isLvis &&= frequency === 'r' || frequency === 'c' || frequency === 'f'
      if (isLvis) categories.push({ id, frequency: frequency as Frequency })
    },
    /** Undefined where some entry lacks it. */
    found: (): DetectionTruth['lvis'] => (isLvis ? { images, categories } : undefined),
  }
}

/** Reads detections in COCO's result form: a list of image_id, category_id, bbox and score. */
export async function readDetections(path: string): Promise<Detection[]> {
  const detections: Detection[] = []
  for await (const value of readJsonList(path, 'a list of detections')) {
    const { image_id: image, category_id: category, bbox, score } = (value ?? {}) as Json
    if (!isNumber(image) || !isNumber(category) || !isNumber(score) || !isBox(bbox)) {
      throw new UserError(
        `${path}: [${detections.length}]: expected image_id, category_id, score and a bbox of four numbers.`,
      )
    }
    detections.push({ image, category, bbox, score })
  }
  return detections
}

const isNumber = (value: unknown): value is number => Number.isFinite(value)

/**
 * Detections in COCO's result form.
 *
 * @param decimals of the boxes: a hundredth of a pixel; those in shares of the picture have more
 */
export function detectionsJson(detections: readonly Detection[], decimals = 2): string {
  const round = (value: number) => Math.round(value * 10 ** decimals) / 10 ** decimals
  const rows = detections.map(({ image, category, bbox, score }) =>
    JSON.stringify({ image_id: image, category_id: category, bbox: bbox.map(round), score }),
  )
  return `[${rows.join(',\n')}]\n`
}
