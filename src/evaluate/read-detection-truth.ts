import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../base/user-error.js'
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

/**
 * Reads annotations in COCO's or LVIS' form. Only what scoring needs is kept: LVIS' outlines are most of its 200 MB.
 *
 * @throws UserError that names the file and its first fault
 */
export async function readDetectionTruth(path: string): Promise<DetectionTruth> {
  const file = await readJson(path)
  const fault = (place: string, what: string) => new UserError(`${path}: ${place}: ${what}.`)
  const list = (name: string): readonly Json[] => {
    const value = (file as Json | null)?.[name]
    if (!Array.isArray(value)) throw fault(name, 'expected a list')
    return value as readonly Json[]
  }
  const number = (value: unknown, place: string): number => {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw fault(place, 'expected a number')
    return value
  }
  const images = list('images').map((image, at) => ({
    id: number(image.id, `images[${at}].id`),
    file: fileOf(image) ?? fail(fault(`images[${at}]`, 'expected file_name or coco_url')),
  }))
  const categories = list('categories').map((category, at) => ({
    id: number(category.id, `categories[${at}].id`),
    name:
      typeof category.name === 'string'
        ? category.name
        : fail(fault(`categories[${at}].name`, 'expected a text')),
  }))
  const boxes = list('annotations').map((annotation, at): GroundTruth => {
    const { bbox } = annotation
    if (!Array.isArray(bbox) || bbox.length !== 4 || !bbox.every(Number.isFinite))
      throw fault(`annotations[${at}].bbox`, 'expected x, y, width and height')
    return {
      image: number(annotation.image_id, `annotations[${at}].image_id`),
      category: number(annotation.category_id, `annotations[${at}].category_id`),
      bbox: bbox as unknown as GroundTruth['bbox'],
      // Some of ODinW's files have none.
      area: typeof annotation.area === 'number' ? annotation.area : bbox[2] * bbox[3],
      iscrowd: annotation.iscrowd === 1 || annotation.iscrowd === true,
    }
  })
  const lvis = lvisOf(list('images'), list('categories'))
  return { images, categories: categories.sort((a, b) => a.id - b.id), boxes, lvis }
}

function fail(error: UserError): never {
  throw error
}

/** LVIS names a picture by its address: the last two parts are folder and file of COCO's. */
function fileOf({ file_name, coco_url }: Json): string | undefined {
  if (typeof file_name === 'string') return file_name
  return typeof coco_url === 'string' ? join(...coco_url.split('/').slice(-2)) : undefined
}

function lvisOf(images: readonly Json[], categories: readonly Json[]): DetectionTruth['lvis'] {
  if (!images.every((image) => Array.isArray(image.neg_category_ids))) return undefined
  if (!categories.every(({ frequency }) => frequency === 'r' || frequency === 'c' || frequency === 'f'))
    return undefined
  return {
    images: images.map((image) => ({
      id: image.id as number,
      negative: image.neg_category_ids as number[],
      notExhaustive: (image.not_exhaustive_category_ids ?? []) as number[],
    })),
    categories: categories.map(({ id, frequency }) => ({
      id: id as number,
      frequency: frequency as Frequency,
    })),
  }
}

/** Reads detections in COCO's result form: a list of image_id, category_id, bbox and score. */
export async function readDetections(path: string): Promise<Detection[]> {
  const value = await readJson(path)
  if (!Array.isArray(value)) throw new UserError(`${path}: expected a list of detections.`)
  return value.map((one: Json, at) => {
    const { image_id: image, category_id: category, bbox, score } = one ?? {}
    if (
      !Number.isFinite(image) ||
      !Number.isFinite(category) ||
      !Number.isFinite(score) ||
      !(Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isFinite))
    ) {
      throw new UserError(
        `${path}: [${at}]: expected image_id, category_id, score and a bbox of four numbers.`,
      )
    }
    return { image, category, bbox, score } as unknown as Detection
  })
}

/** Detections in COCO's result form, boxes to a hundredth of a pixel. */
export function detectionsJson(detections: readonly Detection[]): string {
  const round = (value: number) => Math.round(value * 100) / 100
  const rows = detections.map(({ image, category, bbox, score }) =>
    JSON.stringify({ image_id: image, category_id: category, bbox: bbox.map(round), score }),
  )
  return `[${rows.join(',\n')}]\n`
}

/** Throws a UserError that names the file. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UserError(`${path} is not JSON: ${(error as Error).message}`)
  }
}
