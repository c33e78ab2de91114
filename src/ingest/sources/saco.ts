import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { UserError } from '../../base/user-error.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import { numberOf } from '../../formats/box-numbers.js'
import { cocoBox } from '../../formats/coco-box.js'
import { cocoEntries, slashed } from '../../formats/coco-entries.js'
import { cocoLicense, isSet } from '../../formats/coco-entry.js'
import { entryId } from '../../formats/entry-id.js'
import type { Mark } from '../../formats/mark.js'
import type { Xywh } from '../../formats/outline-box.js'
import { soleEnds } from '../../formats/picture-places.js'
import { type FileProblem, problemList } from '../../formats/problem-list.js'
import { placeOf } from '../read/picture-place.js'
import { sizeOf } from '../read/region-values.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, outside, prompt, sourceSchema } from '../read/source-keys.js'
import { sourceNotes } from '../read/source-notes.js'
import {
  fileProblemRow,
  type GoldRegion,
  type IgnoredBox,
  type SourceRow,
  sourceRow,
} from '../read/source-row.js'

const schema = sourceSchema('saco', {
  path: optionalText('the JSON of pairs'),
  images: imageFolder,
  base_url: baseUrl,
  prompt,
  outside,
}).describe('noun phrases with their boxes, and such as name nothing: SA-Co')
type Config = z.infer<typeof schema>

const text = z.string().refine((value) => value.trim() !== '', 'expected a text')
const pairSchema = z.object({
  file_name: text,
  text_input: text,
  is_instance_exhaustive: z
    .unknown()
    .optional()
    .transform((value) => value === undefined || isSet(value)),
  coco_url: z.string().optional().catch(undefined),
  source_id: z.string().optional().catch(undefined),
  source_name: z.string().optional().catch(undefined),
})

/**
 * Pictures of SA-Co: `path` is its JSON in COCO's form, whose images are pairs of a picture and a phrase
 * (`text_input`), `images` the folder of pictures. Boxes are x y width height in shares of the picture's
 * sides; crowds are left out, and counted. The phrases of a picture become one prompt, as categories do. A
 * pair without a box is a negative; of one that is not `is_instance_exhaustive` there may be more.
 */
export const saco: SourceFormat<typeof schema> = {
  name: 'saco',
  schema,
  isWhole: true,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const contents = memoize(() => readPairs(path))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(path, await contents(), config, from)
      },
      files: async () => [path],
    })
  },
}

/** A phrase that a picture was asked for. */
interface Pair extends z.infer<typeof pairSchema> {
  readonly id: string
  readonly width: number | undefined
  readonly height: number | undefined
  readonly license: string | undefined
}

interface Box {
  readonly bbox: Xywh | undefined
  readonly iscrowd: boolean
  readonly score: unknown
  readonly origin: unknown
}

interface Contents {
  /** The pairs of each picture, in the order of the file. */
  readonly pictures: readonly (readonly [name: string, pairs: readonly Pair[]])[]
  /** By the pair's id. */
  readonly boxes: ReadonlyMap<string, readonly Box[]>
  readonly licenses: ReadonlyMap<string, string>
  readonly problems: readonly FileProblem[]
  /** Whether an end of a name (`nameEnds`) is that of one picture alone. */
  readonly isSoleEnd: (end: string) => boolean
}

/** Of a box all but its outline is held: that is in pixels, the box in shares. */
async function readPairs(path: string): Promise<Contents> {
  const pairs = new Map<string, Pair>()
  const shared = new Set<string>()
  const boxes = new Map<string, { readonly at: number; readonly own: Box[] }>()
  const licenses = new Map<string, string>()
  const problems = problemList(path)
  let fault: string | undefined
  const lists = ['images', 'annotations', 'licenses'] as const
  for await (const { list, index, value } of cocoEntries(path, lists, ['images', 'annotations'])) {
    const bad = (problem: string) => {
      if (list === 'images') fault ??= `${list}[${index}]: ${problem}`
      problems.add(list, index, 'malformed_row', problem, list === 'annotations' ? 1 : 0)
    }
    if (list === 'images') {
      const pair = pairOf(value)
      if (typeof pair === 'string') bad(pair)
      else if (pairs.has(pair.id)) {
        problems.add(list, index, 'shared_id', `id ${pair.id} is that of several pairs`)
        shared.add(pair.id)
      } else pairs.set(pair.id, pair)
    } else if (list === 'licenses') {
      const license = cocoLicense(value)
      if (typeof license === 'string') bad(license)
      else if (license.id !== undefined && license.text !== undefined) licenses.set(license.id, license.text)
    } else {
      const { image_id, bbox, iscrowd, score, origin } = Object(value) as Record<string, unknown>
      const id = entryId(image_id)
      if (id === undefined) {
        bad('image_id: expected a number or a text')
        continue
      }
      const group = boxes.get(id) ?? { at: index, own: [] }
      boxes.set(id, group)
      group.own.push({ bbox: cocoBox({ bbox }), iscrowd: isSet(iscrowd), score, origin })
    }
  }
  if (pairs.size === 0 && fault !== undefined) throw new UserError(`${path} ${fault}.`)
  for (const id of shared) pairs.delete(id)
  for (const [id, { at, own }] of boxes) {
    const [reason, whose] = shared.has(id) ? ['shared_id', 'several pairs'] : ['unknown_picture', 'no pair']
    if (!pairs.has(id))
      problems.add('annotations', at, reason, `image_id ${id} is the id of ${whose}`, own.length)
  }
  const pictures = new Map<string, Pair[]>()
  for (const pair of pairs.values()) {
    const own = pictures.get(pair.file_name)
    if (own) own.push(pair)
    else pictures.set(pair.file_name, [pair])
  }
  return {
    pictures: [...pictures],
    boxes: new Map([...boxes].map(([id, { own }]) => [id, own])),
    licenses,
    problems: problems.found(),
    isSoleEnd: soleEnds(pictures.keys()),
  }
}

/** A pair, or what is wrong with it. */
function pairOf(value: unknown): Pair | string {
  const given = Object(value) as Record<string, unknown>
  const parsed = pairSchema.safeParse(value, inWords)
  const id = entryId(given.id)
  if (id === undefined) return 'id: expected a number or a text'
  if (!parsed.success) return firstIssue(parsed.error)
  const file_name = slashed(parsed.data.file_name)
  const [width, height] = [given.width, given.height].map(numberOf)
  return { ...parsed.data, id, file_name, width, height, license: entryId(given.license) }
}

function* rowsOf(path: string, contents: Contents, config: Config, from?: Mark): Generator<SourceRow> {
  const { pictures, problems } = contents
  for (let at = from?.at ?? 0; at < pictures.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const picture = pictures[at]
    const bad = problems[at - pictures.length]
    if (picture) yield pictureRow(mark, `${path} picture ${picture[0]}`, picture[1], contents, config)
    else if (bad) yield fileProblemRow(mark, bad)
  }
}

function pictureRow(
  mark: Mark,
  place: string,
  pairs: readonly Pair[],
  { boxes, licenses, isSoleEnd }: Contents,
  config: Config,
): SourceRow {
  const dropped: Record<string, number> = {}
  const partial: string[] = []
  const negatives: string[] = []
  const regions: GoldRegion[] = []
  const ignored: IgnoredBox[] = []
  for (const [order, { id, text_input: category, is_instance_exhaustive }] of pairs.entries()) {
    const given = boxes.get(id) ?? []
    const sound = given.flatMap((value): GoldRegion[] => {
      const region = regionOf(value, category, order)
      if (typeof region !== 'string') return [region]
      dropped[region] = (dropped[region] ?? 0) + 1
      if (region === 'crowd_box' && value.bbox)
        ignored.push({ category, xyxy: cornersOfXywh(value.bbox), crowd: true })
      return []
    })
    regions.push(...sound)
    if (!is_instance_exhaustive || sound.length < given.length) partial.push(category)
    else if (given.length === 0) negatives.push(category)
  }
  const [first] = pairs
  const { width, height, license, coco_url, file_name = '' } = first ?? {}
  return sourceRow({
    mark,
    place,
    ...locate(file_name, coco_url, config, isSoleEnd),
    regions,
    ignored,
    boxUnit: 'share',
    absent: config.prompt.negatives > 0 ? negatives : [],
    negatives,
    partial,
    dropped,
    size: sizeOf(width, height),
    license: license === undefined ? null : (licenses.get(license) ?? null),
    meta: { file_name, ...(first && sourceNotes(first)) },
  })
}

function locate(name: string, url: string | undefined, config: Config, isSole: Contents['isSoleEnd']) {
  const place = placeOf(name, config, isSole) ?? (url ? { url } : undefined)
  if (place) return place
  throw new UserError('A saco source needs `images`: the folder that its file names start from.')
}

/** A box, or why it is none. */
function regionOf(
  { bbox, iscrowd, score: given, origin }: Box,
  category: string,
  order: number,
): GoldRegion | string {
  const score = numberOf(given)
  const isFound = typeof origin === 'string' && given !== undefined
  const isScore = score !== undefined && score >= 0 && score <= 1
  if (!bbox || (isFound && !isScore)) return 'malformed_box'
  if (iscrowd) return 'crowd_box'
  const found = isFound && isScore ? { found: { score, by: origin } } : {}
  return { category, order, xyxy: cornersOfXywh(bbox), spans: [], ...found }
}

const cornersOfXywh = ([x, y, width, height]: Xywh): Xyxy => [x, y, x + width, y + height]
