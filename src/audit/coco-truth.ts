import { z } from 'zod'
import { inWords } from '../base/schema-words.js'
import { UserError } from '../base/user-error.js'
import { isBeforeTurning, turnBox } from '../boxes/turn-box.js'
import { scaleBox, type Xyxy } from '../boxes/xyxy.js'
import {
  type CocoAnnotation,
  type CocoIndex,
  type Id,
  isCaptionAlone,
  readCocoIndex,
} from '../formats/coco-index.js'
import { tokenSpans } from '../formats/token-spans.js'
import type { ImageRow } from '../rows/rows.js'
import { joinSpans } from '../words/join-spans.js'
import { attributeName, collectTruth, type PictureTruth, spanKey, type TruthObject } from './truth.js'

const boxSchema = z.object({
  bbox: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]),
  category_id: z.string().optional(),
  iscrowd: z.union([z.number(), z.boolean()]).optional(),
  tokens_positive: z.preprocess((value) => tokenSpans(value) ?? value, z.array(z.tuple([z.int(), z.int()]))),
  attributes: z.object({ colour: z.unknown().optional(), size: z.unknown().optional() }).optional(),
})
type Box = z.infer<typeof boxSchema>

/** What is asked of a picture to find its truth. */
export type PictureIdentity = Pick<ImageRow, 'captions' | 'url' | 'meta' | 'width' | 'height'>

/** Finds a picture's truth; undefined where the file has not that picture with one of its captions. */
export type FindTruth = (picture: PictureIdentity) => PictureTruth | undefined

/**
 * The truth of a file in COCO's form whose images have a `caption` and whose boxes have `tokens_positive`, as
 * MDETR's and the toy world's. Every box is an object of its picture, whether words name it or not; a crowd is
 * none. Boxes may have `attributes` (`colour`, `size`). A picture is found by its address or its `file_name`.
 *
 * @param notice told of entries of the file that cannot be used: what they say is not known
 * @throws UserError where the file is not of that form, or no words of it name a box
 */
export async function readCocoTruth(
  path: string,
  notice: (text: string) => void = () => {},
): Promise<FindTruth> {
  const index = await readCocoIndex(undefined, path)
  const find = imageFinder(index)
  const boxes = boxesOf(index, path, notice)
  if (![...boxes.values()].flat().some(({ tokens_positive }) => tokens_positive.length > 0)) {
    throw new UserError(
      `${path}: no annotation has \`tokens_positive\`, the spans of a caption that name its box. Where words name things by their category, say so: --by category, or \`by: category\` in the audit stage.`,
    )
  }
  return (picture) => {
    const found = find(picture)
    const caption = picture.captions.findIndex(({ text }) => text === found?.image.caption)
    if (!found || caption === -1) return undefined
    const { image, place } = found
    const sure = (boxes.get(image.id) ?? []).filter(({ iscrowd }) => !iscrowd)
    return truthOf(sure, index, { caption, points: [...(image.caption ?? '')], place })
  }
}

/**
 * The truth of any file of boxes in COCO's form, for words that name things by their category
 * (`namedByCategory`): what stands in the captions makes no difference. Crowds are no objects: a box in one is
 * neither right nor wrong. A picture is found as by `readCocoTruth`.
 *
 * @param notice as there
 * @throws UserError where the file is not of that form, or no box of it has a category with a name
 */
export async function readCategoryTruth(
  path: string,
  notice: (text: string) => void = () => {},
): Promise<FindTruth> {
  const index = await readCocoIndex(undefined, path)
  const find = imageFinder(index)
  const boxes = boxesOf(index, path, notice)
  const isNamed = ({ category_id }: Box) =>
    category_id === undefined ? false : index.categories.has(category_id)
  if (![...boxes.values()].flat().some(isNamed))
    throw new UserError(
      `${path}: no box has a category of the file's \`categories\`: nothing can be judged by it.`,
    )
  return (picture) => {
    const found = find(picture)
    if (!found) return undefined
    const { image, place } = found
    const objects: TruthObject[] = []
    const ignored: { category: string; xyxy: Xyxy }[] = []
    for (const { bbox, category_id = '', iscrowd } of boxes.get(image.id) ?? []) {
      const category = index.categories.get(category_id)?.name
      const xyxy = place(bbox)
      if (category !== undefined && iscrowd) ignored.push({ category, xyxy })
      else objects.push({ xyxy, ...(category !== undefined && { category }) })
    }
    return { objects, mentions: new Map(), ignored }
  }
}

/** Finds a picture in a file, and places the file's boxes in it as it is stored. */
function imageFinder({ images }: CocoIndex) {
  const files = new Map(images.map((image) => [image.file_name, image]))
  return ({ url, meta, width, height }: PictureIdentity) => {
    const image = namesOf(url, meta)
      .map((name) => files.get(name))
      .find((found) => found !== undefined)
    if (!image) return undefined
    const file = { width: image.width ?? 0, height: image.height ?? 0 }
    const orientation = Number(inMeta(meta, 'exif_orientation') ?? 1)
    const isTurned = isBeforeTurning(file, { width, height }, orientation)
    const shown = isTurned ? { width: file.height, height: file.width } : file
    const scale = shown.width ? width / shown.width : 1
    // What is shaped otherwise was cut or bordered: where its boxes are now is not known.
    if (shown.height && Math.abs(height - scale * shown.height) > 1 + 0.02 * height) return undefined
    const place = ([x, y, across, down]: Box['bbox']): Xyxy => {
      const box: Xyxy = [x, y, x + across, y + down]
      return scaleBox(isTurned ? turnBox(box, { orientation, ...file }) : box, scale)
    }
    return { image, place }
  }
}

function boxesOf(
  { boxes, problems }: CocoIndex,
  path: string,
  notice: (text: string) => void,
): Map<Id, Box[]> {
  for (const { place, problem } of problems) notice(`${place}: ${problem}`)
  let bad = 0
  const read = (annotation: CocoAnnotation) => {
    if (isCaptionAlone(annotation)) return []
    const parsed = boxSchema.safeParse(annotation, inWords)
    if (!parsed.success) bad++
    return parsed.success ? [parsed.data] : []
  }
  const found = new Map([...boxes].map(([id, own]) => [id, own.flatMap(read)]))
  if (bad > 0) notice(`${path}: ${bad} boxes are malformed or of no size, and left out of the truth`)
  return found
}

function truthOf(
  boxes: readonly Box[],
  { categories }: CocoIndex,
  {
    caption,
    points,
    place,
  }: {
    readonly caption: number
    readonly points: readonly string[]
    readonly place: (bbox: Box['bbox']) => Xyxy
  },
): PictureTruth {
  const collected = collectTruth()
  for (const { bbox, category_id, tokens_positive, attributes } of boxes) {
    const category = category_id === undefined ? undefined : categories.get(category_id)?.name
    const object = collected.object({
      xyxy: place(bbox),
      ...(category !== undefined && { category }),
      ...(attributes && {
        attributes: {
          colour: attributeName('colour', attributes.colour),
          size: attributeName('size', attributes.size),
        },
      }),
    })
    const spans = tokens_positive.filter(([start, end]) => start >= 0 && start < end && end <= points.length)
    for (const [start, end] of joinSpans(spans, points))
      collected.mention(spanKey(caption, start, end), object)
  }
  return collected.truth()
}

/** What a picture's file may be called, the longest path first: "images/000012.jpg", "000012.jpg". */
function namesOf(url: string | null, meta: string | null): string[] {
  const named = fileNameIn(meta)
  return [...(url === null ? [] : pathsIn(url)), ...(named === undefined ? [] : pathsIn(named))]
}

function pathsIn(address: string): string[] {
  const path = address.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/s, '')
  const parts = decoded(path)
    .split('/')
    .filter((part) => part !== '')
  return parts.map((_, at) => parts.slice(at).join('/'))
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function fileNameIn(meta: string | null): string | undefined {
  const name = inMeta(meta, 'file_name')
  return typeof name === 'string' ? name : undefined
}

/** What a row's `meta` has under a key. */
function inMeta(meta: string | null, key: string): unknown {
  try {
    return meta === null ? undefined : (JSON.parse(meta) as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
