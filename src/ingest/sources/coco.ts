import { join } from 'node:path'
import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import {
  type CocoAnnotation,
  type CocoImage,
  type CocoIndex,
  type Id,
  readCocoIndex,
} from '../../formats/coco-index.js'
import type { Mark } from '../../formats/mark.js'
import type { Caption } from '../../rows/rows.js'
import { rowSource } from '../read/row-source.js'
import type { SourceFormat } from '../read/source-format.js'
import { baseUrl, exhaustive, imageFolder, optionalText, prompt, sourceSchema } from '../read/source-keys.js'
import {
  type GoldRegion,
  type IgnoredBox,
  problemRow,
  type SourceRow,
  sourceRow,
} from '../read/source-row.js'

const schema = sourceSchema('coco', {
  images: imageFolder,
  captions: optionalText('the JSON of captions'),
  instances: optionalText('the JSON of boxes'),
  exhaustive,
  base_url: baseUrl,
  prompt,
})
type Config = z.infer<typeof schema>

const boxSchema = z.object({
  category_id: z.union([z.number(), z.string()]).optional(),
  bbox: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  iscrowd: z.union([z.number(), z.boolean()]).optional(),
  tokens_positive: z.array(z.tuple([z.int(), z.int()])).optional(),
  score: z.number().min(0).max(1).optional(),
  origin: z.string().optional(),
  area: z.number().nonnegative().optional().catch(undefined),
  ignore: z.unknown().optional(),
})

/**
 * Pictures with captions and boxes from COCO JSON: `captions`, `instances`, or both. In MDETR's form a
 * picture has its `caption` and a box the spans of the words that name it (`tokens_positive`); GLIP's gold
 * data come so. Crowd boxes name no one thing: they are left out, and counted, as are boxes and captions that
 * cannot be read, and what LVIS marks `ignore`; of crowds and the latter evaluation is told.
 *
 * A picture's categories are taken for exhaustive: one that has no box is absent. They are not where the
 * configuration says so, where boxes have no categories, and where a picture says which categories it was
 * searched for (LVIS): then only its `neg_category_ids` are absent. Beside COCO's own keys a picture may say
 * `exhaustive` itself, and `negatives`: phrases that name nothing in it.
 */
export const coco: SourceFormat<typeof schema> = {
  name: 'coco',
  schema,
  hasBoxes: ({ instances }) => instances !== undefined,
  open(config) {
    const { captions, instances } = config
    if (!captions && !instances) {
      throw new UserError(
        'A coco source needs `captions`, `instances`, or both: the paths of its JSON files.',
      )
    }
    const index = memoize(() => readCocoIndex(captions, instances))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(config, await index(), from)
      },
      files: async () => [captions, instances],
    })
  },
}

function* rowsOf(config: Config, index: CocoIndex, from?: Mark): Generator<SourceRow> {
  const { images, problems } = index
  for (let at = from?.at ?? 0; at < images.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const image = images[at]
    const bad = problems[at - images.length]
    if (image) yield imageRow(mark, image, index, config)
    else if (bad) yield problemRow(mark, bad.place, bad.problem)
  }
}

function imageRow(mark: Mark, image: CocoImage, index: CocoIndex, config: Config): SourceRow {
  const dropped: Record<string, number> = {}
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const imageCaptions = image.caption?.trim() ? [image.caption] : []
  const listedCaptions = (index.captions.get(image.id) ?? []).flatMap(({ caption }) => {
    if (typeof caption === 'string' && caption.trim() !== '') return [caption]
    drop('blank_caption')
    return []
  })
  const boxes = index.boxes.get(image.id) ?? []
  /** Names of boxes that are left out; undefined for one of which nobody knows what it is. */
  const unboxed: (string | undefined)[] = []
  const ignored: IgnoredBox[] = []
  const regions = boxes.flatMap((box) => {
    const region = regionOf(box, index, {
      hasCaption: imageCaptions.length > 0,
      isFederated: isFederated(image),
    })
    if (typeof region !== 'string') return [region]
    drop(region)
    const apart = region === 'crowd_box' || region === 'ignored_box' ? ignoredOf(box, index) : undefined
    if (apart) ignored.push(apart)
    unboxed.push(index.categories.get(box.category_id as Id)?.name)
    return []
  })
  const { file_name, width, height, neg_category_ids, not_exhaustive_category_ids } = image
  const license = image.license === undefined ? null : (index.licenses.get(image.license) ?? null)
  return sourceRow({
    mark,
    place: `${config.instances ?? config.captions} image ${image.id}`,
    ...locate(image, config),
    captions: [...imageCaptions, ...listedCaptions].map((text): Caption => ({ text, kind: 'gold' })),
    regions: config.instances ? regions : null,
    ignored,
    ...(config.instances && absenceOf(image, boxes, unboxed, index, config)),
    dropped,
    size: width && height ? { width, height } : null,
    license,
    meta: {
      id: image.id,
      file_name,
      ...(boxes.length ? { boxes: boxes.length } : {}),
      // What LVIS was and was not searched for; evaluation asks.
      ...(neg_category_ids ? { neg_category_ids } : {}),
      ...(not_exhaustive_category_ids ? { not_exhaustive_category_ids } : {}),
    },
  })
}

/**
 * What is not in the picture. A crowd of a thing is the thing, and there is more of it than the crowd's box.
 */
function absenceOf(
  image: CocoImage,
  boxes: readonly CocoAnnotation[],
  unboxed: readonly (string | undefined)[],
  { categories }: CocoIndex,
  config: Config,
): Pick<SourceRow, 'absent' | 'exhaustive' | 'negatives' | 'partial'> {
  const { neg_category_ids, not_exhaustive_category_ids } = image
  const namesOf = (ids: readonly unknown[] = []) =>
    ids.flatMap((id) => categories.get(id as Id)?.name ?? []).filter((name) => name !== '')
  const isClosed = categories.size > 0 && !unboxed.includes(undefined)
  const isExhaustive = isClosed && (image.exhaustive ?? (!isFederated(image) && (config.exhaustive ?? true)))
  const named = namesOf(neg_category_ids)
  const present = new Set(namesOf(boxes.map(({ category_id }) => category_id)))
  const all = [...categories.values()].map(({ name }) => name)
  const absent = isExhaustive ? all.filter((name) => !present.has(name)) : named
  return {
    absent: config.prompt.negatives > 0 ? absent : [],
    exhaustive: isExhaustive,
    negatives: [...named, ...(image.negatives ?? [])],
    partial: [
      ...namesOf(not_exhaustive_category_ids),
      ...unboxed.filter((name) => name !== undefined && name !== ''),
    ] as string[],
  }
}

/** Whether a picture says which categories it was searched for, as LVIS does. */
const isFederated = ({ neg_category_ids, not_exhaustive_category_ids }: CocoImage) =>
  neg_category_ids !== undefined || not_exhaustive_category_ids !== undefined

/** From `base_url` if there is one, else from the folder, else from where COCO itself has it. */
function locate({ file_name, coco_url }: CocoImage, { base_url, images }: Config) {
  if (base_url) return { url: file_name.split('/').map(encodeURIComponent).join('/') }
  if (images) return { file: join(images, file_name) }
  return { url: coco_url ?? file_name }
}

/** A box, or why it is none. */
function regionOf(
  annotation: CocoAnnotation,
  { categories }: CocoIndex,
  image: { readonly hasCaption: boolean; readonly isFederated: boolean },
): GoldRegion | string {
  const parsed = boxSchema.safeParse(annotation)
  if (!parsed.success) return 'malformed_box'
  const { bbox, category_id = '', iscrowd, tokens_positive = [], score, origin, area } = parsed.data
  if (iscrowd) return 'crowd_box'
  // Of COCO's own files pycocotools does not read it.
  if (image.isFederated && parsed.data.ignore) return 'ignored_box'
  const { name, order } = categories.get(category_id) ?? { name: '', order: 0 }
  const spans = image.hasCaption ? tokens_positive : []
  if (name === '' && spans.length === 0) return 'unnamed_box'
  const [x, y, width, height] = bbox
  // Of what has been exported, boxes that a model found have its name.
  const found = score !== undefined && origin !== undefined ? { found: { score, by: origin } } : {}
  return {
    category: name,
    order,
    xyxy: [x, y, x + width, y + height],
    spans,
    ...found,
    ...(area !== undefined && { area }),
  }
}

/** What evaluation is told of a crowd, or of a box that is marked `ignore`; undefined without a name. */
function ignoredOf(annotation: CocoAnnotation, { categories }: CocoIndex): IgnoredBox | undefined {
  const { bbox, category_id = '', iscrowd, area } = boxSchema.parse(annotation)
  const name = categories.get(category_id)?.name
  if (!name) return undefined
  const [x, y, width, height] = bbox
  const xyxy = [x, y, x + width, y + height] as const
  return { category: name, xyxy, crowd: Boolean(iscrowd), ...(area !== undefined && { area }) }
}
