import { z } from 'zod'
import { UserError } from '../base/user-error.js'
import { type CocoList, cocoEntries, cocoFileName } from './coco-entries.js'

const idSchema = z.union([z.number(), z.string()])
/** What a box or a caption may have is checked where it is used; all else, such as outlines, is not kept. */
const annotationSchema = z.object({
  id: z.unknown().optional(),
  image_id: idSchema,
  caption: z.unknown().optional(),
  category_id: z.unknown().optional(),
  bbox: z.unknown().optional(),
  iscrowd: z.unknown().optional(),
  area: z.unknown().optional(),
  ignore: z.unknown().optional(),
  tokens_positive: z.unknown().optional(),
  score: z.unknown().optional(),
  origin: z.unknown().optional(),
  attributes: z.unknown().optional(),
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
    // Not of COCO: what this program's exports say besides. Another's keys of these names are passed over.
    negatives: z.array(z.string()).optional().catch(undefined),
    exhaustive: z.boolean().optional().catch(undefined),
  })
  .transform((image, context) => {
    const file_name = cocoFileName(image)
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
 * Reads the captions, the boxes, or both. Throws a UserError where a file is missing or not in COCO's form.
 */
export async function readCocoIndex(captionsPath?: string, instancesPath?: string): Promise<CocoIndex> {
  const images = new Map<Id, CocoImage>()
  const problems: { place: string; problem: string }[] = []
  const licenses = new Map<Id, string>()
  const readFileOf = async (path: string | undefined) => {
    if (!path) return undefined
    const file = await readCocoFile(path)
    for (const { id, url, name } of file.licenses) licenses.set(id, url ?? name ?? String(id))
    const seen = new Set<Id>()
    for (const [at, value] of file.images.entries()) {
      const place = `${path} images[${at}]`
      const image = imageSchema.safeParse(value)
      if (!image.success) {
        const [issue] = image.error.issues
        problems.push({ place, problem: `${issue?.path.join('.')}: ${issue?.message}` })
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
      categories.length === 1 && categories[0]?.name === 'object'
        ? []
        : categories.map(({ id, name }, order) => [id, { name, order }]),
    ),
    licenses,
  }
}

/** Numbers by size; ids that are words stay in the order of the file. */
const byId = (a: { id: Id }, b: { id: Id }) => (Number(a.id) || 0) - (Number(b.id) || 0)

async function readCocoFile(path: string): Promise<CocoFile> {
  const file: CocoFile = { images: [], annotations: [], categories: [], licenses: [] }
  let problem = ''
  let more = 0
  const lists = Object.keys(elementSchemas) as CocoList[]
  for await (const { list, index, value } of cocoEntries(path, lists)) {
    const parsed = elementSchemas[list].safeParse(value)
    if (parsed.success) (file[list] as unknown[]).push(parsed.data)
    else if (problem !== '') more++
    else {
      const [issue] = parsed.error.issues
      problem = `${[list, index, ...(issue?.path ?? [])].join('.')}: ${issue?.message}`
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
