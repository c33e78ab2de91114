import type { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import { numberOf } from '../../formats/box-numbers.js'
import {
  type CocoAnnotation,
  type CocoImage,
  type CocoIndex,
  isBoxAlone,
  isCaptionAlone,
  readCocoIndex,
} from '../../formats/coco-index.js'
import { idNumber } from '../../formats/entry-id.js'
import type { Mark } from '../../formats/mark.js'
import { tokenSpans } from '../../formats/token-spans.js'
import type { Caption } from '../../rows/rows.js'
import { placeOf } from '../read/picture-place.js'
import { rowSource } from '../read/row-source.js'
import type { SourceFormat } from '../read/source-format.js'
import {
  baseUrl,
  exhaustive,
  imageFolder,
  optionalText,
  outside,
  prompt,
  sourceSchema,
} from '../read/source-keys.js'
import { sourceNotes } from '../read/source-notes.js'
import {
  fileProblemRow,
  type GoldRegion,
  type IgnoredBox,
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
  outside,
}).describe('pictures with captions, boxes or both, as COCO and LVIS write them')
type Config = z.infer<typeof schema>

/**
 * Pictures with captions and boxes from COCO JSON: `captions`, `instances`, or both. In MDETR's form a
 * picture has its `caption` and a box the spans of the words that name it (`tokens_positive`); GLIP's gold
 * data come so. Crowd boxes name no one thing: they are left out, and counted, as are boxes and captions that
 * cannot be read, and what LVIS marks `ignore`; of crowds and the latter evaluation is told. Entries that
 * cannot be used, pictures that share an id, and annotations of pictures or categories that the file lacks
 * are rejects.
 *
 * A picture's categories are taken for exhaustive: one that has no box is absent. They are not where the
 * configuration says so, where boxes have no categories, and where a picture says which categories it was
 * searched for (LVIS): then only its `neg_category_ids` are absent. Beside COCO's own keys a picture may say
 * `exhaustive` itself, and `negatives`: phrases that name nothing in it.
 */
export const coco: SourceFormat<typeof schema> = {
  name: 'coco',
  schema,
  isWhole: true,
  hasBoxes: ({ instances }) => instances !== undefined,
  open(config) {
    const { captions, instances } = config
    if (!captions && !instances) {
      throw new UserError(
        'A coco source needs `captions`, `instances`, or both: the paths of its JSON files.',
      )
    }
    const index = memoize(async () => {
      const read = await readCocoIndex(captions, instances)
      checkUse(config, read)
      return read
    })
    return rowSource({
      async *rows(from) {
        yield* rowsOf(config, await index(), from)
      },
      files: async () => [captions, instances],
    })
  },
}

/**
 * Throws a UserError where a file has nothing of what it is named for: with its pictures alone it would say
 * that there is nothing in them.
 */
function checkUse({ captions, instances }: Config, index: CocoIndex): void {
  const some = (groups: CocoIndex['boxes'], is: (annotation: CocoAnnotation) => boolean) =>
    [...groups.values()].some((own) => own.some(is))
  const hasCaption = () =>
    index.images.some(({ caption }) => caption !== undefined) ||
    some(index.captions, (annotation) => !isBoxAlone(annotation))
  if (captions && index.captions.size > 0 && !hasCaption())
    throw new UserError(`${captions} has boxes and no captions: give it as \`instances\`.`)
  if (!instances || index.boxes.size === 0) return
  if (!some(index.boxes, (annotation) => !isCaptionAlone(annotation)))
    throw new UserError(`${instances} has captions and no boxes: give it as \`captions\`.`)
  if (!index.hasCategories && !some(index.boxes, (box) => box.tokens_positive !== undefined))
    throw new UserError(
      `${instances}: its boxes have no names: it needs a list of \`categories\`, or boxes with \`tokens_positive\`, their spans in a caption.`,
    )
}

function* rowsOf(config: Config, index: CocoIndex, from?: Mark): Generator<SourceRow> {
  const { images, problems } = index
  for (let at = from?.at ?? 0; at < images.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const image = images[at]
    const bad = problems[at - images.length]
    if (image) yield imageRow(mark, image, index, config)
    else if (bad) yield fileProblemRow(mark, bad)
  }
}

function imageRow(mark: Mark, image: CocoImage, index: CocoIndex, config: Config): SourceRow {
  const dropped: Record<string, number> = {}
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const imageCaptions = image.caption?.trim() ? [image.caption] : []
  const listedCaptions = (index.captions.get(image.id) ?? []).flatMap((annotation) => {
    if (isBoxAlone(annotation)) return []
    return [annotation.caption].flat().flatMap((text) => {
      if (typeof text === 'string' && text.trim() !== '') return [text]
      drop('blank_caption')
      return []
    })
  })
  const boxes = (index.boxes.get(image.id) ?? []).filter((annotation) => !isCaptionAlone(annotation))
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
    unboxed.push(index.categories.get(box.category_id ?? '')?.name)
    return []
  })
  const { file_name, width, height, neg_category_ids, not_exhaustive_category_ids } = image
  const license = image.license === undefined ? null : (index.licenses.get(image.license) ?? null)
  return sourceRow({
    mark,
    place: `${config.instances ?? config.captions} image ${image.id}`,
    // Without a folder from where COCO itself has it.
    ...(placeOf(file_name, config, index.isSoleEnd) ?? { url: image.coco_url ?? file_name }),
    captions: [...imageCaptions, ...listedCaptions].map((text): Caption => ({ text, kind: 'gold' })),
    regions: config.instances ? regions : null,
    ignored,
    ...(config.instances && absenceOf(image, boxes, unboxed, index, config)),
    dropped,
    size: width && height ? { width, height } : null,
    license,
    meta: {
      id: idNumber(image.id),
      file_name,
      ...sourceNotes(image),
      ...(boxes.length ? { boxes: boxes.length } : {}),
      // What LVIS was and was not searched for; evaluation asks.
      ...(neg_category_ids ? { neg_category_ids: neg_category_ids.map(idNumber) } : {}),
      ...(not_exhaustive_category_ids
        ? { not_exhaustive_category_ids: not_exhaustive_category_ids.map(idNumber) }
        : {}),
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
  { categories, sharedFiles }: CocoIndex,
  config: Config,
): Pick<SourceRow, 'absent' | 'exhaustive' | 'negatives' | 'partial'> {
  const { neg_category_ids, not_exhaustive_category_ids } = image
  const namesOf = (ids: readonly (string | undefined)[] = []) =>
    ids.flatMap((id) => categories.get(id ?? '')?.name ?? []).filter((name) => name !== '')
  // What one entry of a file has no box of may have one in another.
  const isClosed = categories.size > 0 && !unboxed.includes(undefined) && !sharedFiles.has(image.file_name)
  const isExhaustive = isClosed && (image.exhaustive ?? (!isFederated(image) && (config.exhaustive ?? true)))
  const named = namesOf(neg_category_ids)
  const present = new Set(namesOf(boxes.map(({ category_id }) => category_id)))
  /** A dog is an animal: where it has a box there is one, though none may be boxed as such. */
  const implied = new Set(boxes.flatMap(({ category_id = '' }) => categories.get(category_id)?.kindOf ?? []))
  const all = [...categories.values()].map(({ name }) => name)
  const absent = isExhaustive ? all.filter((name) => !present.has(name) && !implied.has(name)) : named
  return {
    absent: config.prompt.negatives > 0 ? absent : [],
    exhaustive: isExhaustive,
    negatives: [...named, ...(image.negatives ?? [])],
    partial: [
      ...namesOf(not_exhaustive_category_ids),
      ...unboxed.filter((name) => name !== undefined && name !== ''),
      ...implied,
    ] as string[],
  }
}

/** Whether a picture says which categories it was searched for, as LVIS does. */
const isFederated = ({ neg_category_ids, not_exhaustive_category_ids }: CocoImage) =>
  neg_category_ids !== undefined || not_exhaustive_category_ids !== undefined

/** A box, or why it is none. */
function regionOf(
  { bbox, category_id = '', iscrowd, tokens_positive, score: given, origin, area, ignore }: CocoAnnotation,
  { categories }: CocoIndex,
  image: { readonly hasCaption: boolean; readonly isFederated: boolean },
): GoldRegion | string {
  const named = tokenSpans(tokens_positive)
  const score = numberOf(given)
  // Of what has been exported, boxes that a model found have its name.
  const isFound = typeof origin === 'string' && given !== undefined
  const isScore = score !== undefined && score >= 0 && score <= 1
  if (!bbox || !named || (isFound && !isScore)) return 'malformed_box'
  if (iscrowd) return 'crowd_box'
  // Of COCO's own files pycocotools does not read it.
  if (image.isFederated && ignore) return 'ignored_box'
  const { name, order } = categories.get(category_id) ?? { name: '', order: 0 }
  const spans = image.hasCaption ? named : []
  if (name === '' && spans.length === 0) return 'unnamed_box'
  const [x, y, width, height] = bbox
  const found = isFound && isScore ? { found: { score, by: origin } } : {}
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
function ignoredOf(
  { bbox, category_id = '', iscrowd, area }: CocoAnnotation,
  { categories }: CocoIndex,
): IgnoredBox | undefined {
  const name = categories.get(category_id)?.name
  if (!name || !bbox) return undefined
  const [x, y, width, height] = bbox
  const xyxy = [x, y, x + width, y + height] as const
  return { category: name, xyxy, crowd: iscrowd, ...(area !== undefined && { area }) }
}
