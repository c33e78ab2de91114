import { join } from 'node:path'
import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { cocoEntries } from '../../formats/coco-entries.js'
import type { Mark } from '../../formats/mark.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, prompt, sourceSchema } from '../read/source-keys.js'
import {
  type GoldRegion,
  type IgnoredBox,
  problemRow,
  type SourceRow,
  sourceRow,
} from '../read/source-row.js'

const schema = sourceSchema('saco', {
  path: optionalText('the JSON of pairs'),
  images: imageFolder,
  base_url: baseUrl,
  prompt,
})
type Config = z.infer<typeof schema>

const idSchema = z.union([z.number(), z.string()])
const flag = z.union([z.number(), z.boolean()]).transform((value) => value === true || value === 1)
const pairSchema = z.object({
  id: idSchema,
  file_name: z.string().min(1),
  text_input: z.string().refine((text) => text.trim() !== '', 'expected a phrase'),
  width: z.number().positive().optional(),
  height: z.number().positive().optional(),
  is_instance_exhaustive: flag.default(true),
  coco_url: z.string().optional(),
  license: idSchema.optional(),
})
const licenseSchema = z.object({ id: idSchema, name: z.string().optional(), url: z.string().optional() })
const boxSchema = z.object({
  image_id: idSchema,
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  iscrowd: flag.default(false),
  score: z.number().min(0).max(1).optional(),
  origin: z.string().optional(),
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

type Pair = z.infer<typeof pairSchema>
type Id = z.infer<typeof idSchema>

interface Contents {
  /** The pairs of each picture, in the order of the file. */
  readonly pictures: readonly (readonly [name: string, pairs: readonly Pair[]])[]
  /** By the pair's id. */
  readonly boxes: ReadonlyMap<Id, readonly unknown[]>
  readonly licenses: ReadonlyMap<Id, string>
  readonly problems: readonly { readonly place: string; readonly problem: string }[]
}

/** Of a box all but its outline is held. */
async function readPairs(path: string): Promise<Contents> {
  const pictures = new Map<string, Pair[]>()
  const boxes = new Map<Id, unknown[]>()
  const licenses = new Map<Id, string>()
  const problems: Contents['problems'][number][] = []
  const lists = ['images', 'annotations', 'licenses'] as const
  for await (const { list, index, value } of cocoEntries(path, lists, ['images', 'annotations'])) {
    if (list === 'images') {
      const pair = pairSchema.safeParse(value)
      if (pair.success) {
        const own = pictures.get(pair.data.file_name) ?? []
        pictures.set(pair.data.file_name, own)
        own.push(pair.data)
      } else {
        const [issue] = pair.error.issues
        problems.push({
          place: `${path} images[${index}]`,
          problem: `${issue?.path.join('.')}: ${issue?.message}`,
        })
      }
    } else if (list === 'licenses') {
      const license = licenseSchema.safeParse(value)
      if (license.success) licenses.set(license.data.id, license.data.url ?? license.data.name ?? '')
    } else {
      const { image_id, bbox, iscrowd, score, origin } = Object(value) as Record<string, unknown>
      const own = boxes.get(image_id as Id) ?? []
      boxes.set(image_id as Id, own)
      own.push({ image_id, bbox, iscrowd, score, origin })
    }
  }
  return { pictures: [...pictures], boxes, licenses, problems }
}

function* rowsOf(path: string, contents: Contents, config: Config, from?: Mark): Generator<SourceRow> {
  const { pictures, problems } = contents
  for (let at = from?.at ?? 0; at < pictures.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const picture = pictures[at]
    const bad = problems[at - pictures.length]
    if (picture) yield pictureRow(mark, `${path} picture ${picture[0]}`, picture[1], contents, config)
    else if (bad) yield problemRow(mark, bad.place, bad.problem)
  }
}

function pictureRow(
  mark: Mark,
  place: string,
  pairs: readonly Pair[],
  { boxes, licenses }: Contents,
  { images, base_url, prompt: { negatives: wanted } }: Config,
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
      if (region === 'crowd_box') ignored.push(crowdOf(value, category))
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
    ...locate(file_name, coco_url, images, base_url),
    regions,
    ignored,
    boxUnit: 'share',
    absent: wanted > 0 ? negatives : [],
    negatives,
    partial,
    dropped,
    size: width && height ? { width, height } : null,
    license: license === undefined ? null : (licenses.get(license) ?? null),
    meta: { file_name },
  })
}

function locate(name: string, url: string | undefined, images: string | undefined, base: string | undefined) {
  if (base) return { url: name.split('/').map(encodeURIComponent).join('/') }
  if (images) return { file: join(images, name) }
  if (url) return { url }
  throw new UserError('A saco source needs `images`: the folder that its file names start from.')
}

/** A box, or why it is none. */
function regionOf(value: unknown, category: string, order: number): GoldRegion | string {
  const parsed = boxSchema.safeParse(value)
  if (!parsed.success) return 'malformed_box'
  const { bbox, iscrowd, score, origin } = parsed.data
  if (iscrowd) return 'crowd_box'
  const [x, y, width, height] = bbox
  const found = score !== undefined && origin !== undefined ? { found: { score, by: origin } } : {}
  return { category, order, xyxy: [x, y, x + width, y + height], spans: [], ...found }
}

function crowdOf(value: unknown, category: string): IgnoredBox {
  const [x, y, width, height] = boxSchema.parse(value).bbox
  return { category, xyxy: [x, y, x + width, y + height], crowd: true }
}
