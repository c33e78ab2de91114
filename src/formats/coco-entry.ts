import { numberOf } from './box-numbers.js'
import { cocoBox } from './coco-box.js'
import { cocoFileName } from './coco-entries.js'
import { entryId } from './entry-id.js'
import type { Xywh } from './outline-box.js'

/** An id as one text (`entryId`). */
export type Id = string

/** A picture of a file in COCO's form. */
export interface CocoImage {
  readonly id: Id
  readonly file_name: string
  /** Absent where the file says 0, as many programs do that have not opened the picture. */
  readonly width?: number
  readonly height?: number
  readonly caption?: string
  readonly license?: Id
  readonly coco_url?: string
  readonly neg_category_ids?: readonly Id[]
  readonly not_exhaustive_category_ids?: readonly Id[]
  /** Not of COCO: what this program's exports say besides. Another's keys of these names are passed over. */
  readonly negatives?: readonly string[]
  readonly exhaustive?: boolean
  readonly source_id?: string
  readonly source_name?: string
}

/** A caption or a box. What a box may have besides is checked where it is used; its outline is not kept. */
export interface CocoAnnotation {
  readonly id?: Id
  readonly caption?: unknown
  readonly category_id?: Id
  /** Its box, or what encloses its outline (`cocoBox`); absent where it has none that can be read. */
  readonly bbox?: Xywh
  readonly iscrowd: boolean
  /** LVIS' mark of a box that counts neither way. */
  readonly ignore: boolean
  /** In pixels, squared. */
  readonly area?: number
  readonly tokens_positive?: unknown
  readonly score?: unknown
  readonly origin?: unknown
  readonly attributes?: unknown
}

/** Whether an annotation is a caption alone: files with captions and boxes have both in one list. */
export const isCaptionAlone = ({ caption, bbox, category_id }: CocoAnnotation): boolean =>
  caption !== undefined && bbox === undefined && category_id === undefined

/** Whether an annotation is a box alone. */
export const isBoxAlone = ({ caption, bbox, category_id }: CocoAnnotation): boolean =>
  caption === undefined && (bbox !== undefined || category_id !== undefined)

export interface CocoCategory {
  readonly id: Id
  readonly name: string
  readonly supercategory?: string
}

type Json = Readonly<Record<string, unknown>>

/** An entry that was read, or what is wrong with it, its key before it. */
type Read<T> = T | string

const object = (value: unknown): Json | undefined =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Json) : undefined

const noId = 'expected a number or a text'

export function cocoImage(value: unknown): Read<CocoImage> {
  const image = object(value)
  if (!image) return 'expected an object'
  const id = entryId(image.id)
  if (id === undefined) return `id: ${noId}`
  const file_name = cocoFileName(image)
  if (file_name === undefined)
    return image.file_name === undefined
      ? 'file_name: neither a file_name nor a coco_url'
      : 'file_name: expected the name of a file'
  const lists = ['neg_category_ids', 'not_exhaustive_category_ids'] as const
  const odd = lists.find((key) => image[key] !== undefined && !Array.isArray(image[key]))
  if (odd) return `${odd}: expected a list`
  const [negative, partial] = lists.map((key) => idsOf(image[key]))
  const { caption, coco_url, negatives, exhaustive, source_id, source_name } = image
  const license = entryId(image.license)
  const [width, height] = [image.width, image.height].map(numberOf)
  return {
    id,
    file_name,
    ...(width !== undefined && width > 0 && { width }),
    ...(height !== undefined && height > 0 && { height }),
    ...(typeof caption === 'string' && { caption }),
    ...(license !== undefined && { license }),
    ...(typeof coco_url === 'string' && coco_url !== '' && { coco_url }),
    ...(negative && { neg_category_ids: negative }),
    ...(partial && { not_exhaustive_category_ids: partial }),
    ...(isTexts(negatives) && { negatives }),
    ...(typeof exhaustive === 'boolean' && { exhaustive }),
    ...(typeof source_id === 'string' && { source_id }),
    ...(typeof source_name === 'string' && { source_name }),
  }
}

/**
 * An annotation, with the id of the picture that it is of. There are millions: what it has is set key by key.
 *
 * @param categoryId an id as it is held
 */
export function cocoAnnotation(
  value: unknown,
  categoryId: (id: Id) => Id,
): Read<{ readonly image: Id; readonly own: CocoAnnotation }> {
  const annotation = object(value)
  if (!annotation) return 'expected an object'
  const image = entryId(annotation.image_id)
  if (image === undefined) return `image_id: ${noId}`
  const own: { -readonly [Key in keyof CocoAnnotation]: CocoAnnotation[Key] } = {
    iscrowd: isSet(annotation.iscrowd),
    ignore: isSet(annotation.ignore),
  }
  const id = entryId(annotation.id)
  if (id !== undefined) own.id = id
  const category = entryId(annotation.category_id)
  if (category !== undefined) own.category_id = categoryId(category)
  const bbox = cocoBox(annotation)
  if (bbox) own.bbox = bbox
  const area = numberOf(annotation.area)
  if (area !== undefined && area >= 0) own.area = area
  for (const key of asGiven) {
    if (annotation[key] !== undefined) own[key] = annotation[key]
  }
  return { image, own }
}

/** What is kept of an annotation as the file has it. */
const asGiven = ['caption', 'tokens_positive', 'score', 'origin', 'attributes'] as const

export function cocoCategory(value: unknown): Read<CocoCategory> {
  const category = object(value)
  if (!category) return 'expected an object'
  const id = entryId(category.id)
  if (id === undefined) return `id: ${noId}`
  const { name, supercategory } = category
  if (typeof name !== 'string' || name.trim() === '') return 'name: expected a text'
  return { id, name, ...(typeof supercategory === 'string' && { supercategory }) }
}

/** A licence and what it says: its address, else its name. */
export function cocoLicense(value: unknown): Read<{ readonly id?: Id; readonly text?: string }> {
  const license = object(value)
  if (!license) return 'expected an object'
  const id = entryId(license.id)
  const text = [license.url, license.name].find((one) => typeof one === 'string' && one.trim() !== '')
  // labelme and others write a licence of nulls.
  if (id === undefined && text === undefined) return {}
  if (id === undefined) return `id: ${noId}`
  return { id, ...(typeof text === 'string' && { text }) }
}

function idsOf(value: unknown): Id[] | undefined {
  return Array.isArray(value) ? value.flatMap((id) => entryId(id) ?? []) : undefined
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((text) => typeof text === 'string')

/** A flag, which programs write as a number, a truth value or a text of one. */
export function isSet(value: unknown): boolean {
  if (typeof value === 'string') return /^\s*true\s*$/i.test(value) || (numberOf(value) ?? 0) !== 0
  return typeof value === 'number' ? value !== 0 && !Number.isNaN(value) : value === true
}
