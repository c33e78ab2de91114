import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { UserError } from '../../base/user-error.js'
import { readJsonElements } from '../read/read-json-elements.js'

const idSchema = z.union([z.number(), z.string()])
/** What a box or a caption may have is checked where it is used; all else, such as outlines, is not kept. */
const annotationSchema = z.object({
  id: z.unknown().optional(),
  image_id: idSchema,
  caption: z.unknown().optional(),
  category_id: z.unknown().optional(),
  bbox: z.unknown().optional(),
  iscrowd: z.unknown().optional(),
  tokens_positive: z.unknown().optional(),
  score: z.unknown().optional(),
  origin: z.unknown().optional(),
})

const imageSchema = z
  .object({
    id: idSchema,
    file_name: z.string().min(1).optional(),
    width: z.number().positive().optional(),
    height: z.number().positive().optional(),
    caption: z.string().optional(),
    license: idSchema.optional(),
    coco_url: z.string().optional(),
    neg_category_ids: z.array(idSchema).optional(),
    not_exhaustive_category_ids: z.array(idSchema).optional(),
  })
  .transform((image, context) => {
    // LVIS names its pictures by their addresses alone: .../train2017/000000391895.jpg
    const file_name = image.file_name ?? image.coco_url?.split('/').slice(-2).join('/')
    if (file_name) return { ...image, file_name }
    context.addIssue({ code: 'custom', path: ['file_name'], message: 'neither a file_name nor a coco_url' })
    return z.NEVER
  })

/** What is read of a file, by the key of its list. */
const elementSchemas = {
  images: z.unknown(),
  annotations: annotationSchema,
  categories: z.object({ id: idSchema, name: z.string() }),
  licenses: z.object({ id: idSchema, name: z.string().optional(), url: z.string().optional() }),
} as const

interface CocoFile {
  readonly images: unknown[]
  readonly annotations: CocoAnnotation[]
  readonly categories: z.infer<typeof elementSchemas.categories>[]
  readonly licenses: z.infer<typeof elementSchemas.licenses>[]
}

export type Id = z.infer<typeof idSchema>
export type CocoImage = z.infer<typeof imageSchema>
export type CocoAnnotation = z.infer<typeof annotationSchema>

/** What COCO's JSON files say, by picture. */
export interface CocoIndex {
  /** In order of id. */
  readonly images: readonly CocoImage[]
  /** Entries of the list of images that are none, and why. */
  readonly problems: readonly { readonly place: string; readonly problem: string }[]
  readonly captions: ReadonlyMap<Id, readonly CocoAnnotation[]>
  readonly boxes: ReadonlyMap<Id, readonly CocoAnnotation[]>
  /** A name and its place in order of id. */
  readonly categories: ReadonlyMap<Id, { readonly name: string; readonly order: number }>
  readonly licenses: ReadonlyMap<Id, string>
}

/**
 * The shards of a source are made one after the other and each wants the whole index, since JSON has no way in but from
 * its start: it is read once and kept while memory allows.
 */
let last: { readonly key: string; readonly index: WeakRef<CocoIndex> } | undefined

/** Reads the captions, the boxes, or both. Throws a UserError where a file is missing or not in COCO's form. */
export async function readCocoIndex(captions?: string, instances?: string): Promise<CocoIndex> {
  const key = JSON.stringify([await versionOf(captions), await versionOf(instances)])
  const known = last?.key === key ? last.index.deref() : undefined
  const index = known ?? (await readIndex(captions, instances))
  last = { key, index: new WeakRef(index) }
  return index
}

async function versionOf(path: string | undefined): Promise<readonly (string | number)[]> {
  if (!path) return []
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  return [path, size, mtimeMs]
}

async function readIndex(captionsPath?: string, instancesPath?: string): Promise<CocoIndex> {
  const images = new Map<Id, CocoImage>()
  const problems: { place: string; problem: string }[] = []
  const licenses = new Map<Id, string>()
  const readFileOf = async (path: string | undefined) => {
    if (!path) return undefined
    const file = await readJson(path)
    for (const { id, url, name } of file.licenses) licenses.set(id, url ?? name ?? String(id))
    const seen = new Set<Id>()
    for (const [at, value] of file.images.entries()) {
      const place = `${path} images[${at}]`
      const image = imageSchema.safeParse(value)
      if (!image.success) {
        const { path: at, message } = image.error.issues[0]
        problems.push({ place, problem: `${at.join('.')}: ${message}` })
      } else if (seen.has(image.data.id)) problems.push({ place, problem: `id ${image.data.id} comes twice` })
      else {
        seen.add(image.data.id)
        images.set(image.data.id, { ...images.get(image.data.id), ...image.data })
      }
    }
    return file
  }
  const captions = await readFileOf(captionsPath)
  const instances = await readFileOf(instancesPath)
  const categories = [...(instances?.categories ?? [])].sort(byId)
  return {
    images: [...images.values()].sort(byId),
    problems,
    captions: groupByImage(captions?.annotations ?? []),
    boxes: groupByImage(instances?.annotations ?? []),
    // MDETR's files give all boxes the one category "object", which names nothing.
    categories: new Map(
      categories.length === 1 && categories[0].name === 'object'
        ? []
        : categories.map(({ id, name }, order) => [id, { name, order }]),
    ),
    licenses,
  }
}

/** Numbers by size; ids that are words stay in the order of the file. */
const byId = (a: { id: Id }, b: { id: Id }) => (Number(a.id) || 0) - (Number(b.id) || 0)

/** Entry by entry: the files of LVIS and Objects365 are larger than a string may be. */
async function readJson(path: string): Promise<CocoFile> {
  const file: CocoFile = { images: [], annotations: [], categories: [], licenses: [] }
  let [problem, more] = ['', 0]
  const isKnown = (key: string) => Object.hasOwn(elementSchemas, key)
  for await (const { key, index, value } of readJsonElements(path, isKnown)) {
    if (key === null) throw new UserError(`${path} is not in COCO's form: an object with lists was expected.`)
    const parsed = elementSchemas[key as keyof CocoFile].safeParse(value)
    if (parsed.success) (file[key as keyof CocoFile] as unknown[]).push(parsed.data)
    else if (problem !== '') more++
    else {
      const [{ path: at, message }] = parsed.error.issues
      problem = `${[key, index, ...at].join('.')}: ${message}`
    }
  }
  // A file of another form has as many faults as entries: the first one says enough.
  const rest = more > 0 ? ` (and ${more} more)` : ''
  if (problem !== '') throw new UserError(`${path} is not in COCO's form: ${problem}${rest}`)
  return file
}

function groupByImage(annotations: readonly CocoAnnotation[]): Map<Id, CocoAnnotation[]> {
  const groups = new Map<Id, CocoAnnotation[]>()
  for (const annotation of annotations) {
    const group = groups.get(annotation.image_id)
    if (group) group.push(annotation)
    else groups.set(annotation.image_id, [annotation])
  }
  return groups
}
