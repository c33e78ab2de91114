import type { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import {
  type CocoAnnotation,
  type CocoImage,
  type CocoIndex,
  type Id,
  readCocoIndex,
} from '../../formats/coco-index.js'
import { idNumber } from '../../formats/entry-id.js'
import type { Mark } from '../../formats/mark.js'
import type { Xywh } from '../../formats/outline-box.js'
import { type FileProblem, problemList } from '../../formats/problem-list.js'
import { type Reference, readReferences } from '../../formats/refcoco-references.js'
import { placeOf } from '../read/picture-place.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, outside, sourceSchema } from '../read/source-keys.js'
import { fileProblemRow, type GoldRegion, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('refcoco', {
  path: optionalText('the references, such as refs(unc).p'),
  images: imageFolder,
  instances: optionalText('the instances.json beside the references'),
  split: optionalText('the split to take; all by default'),
  base_url: baseUrl,
  outside,
}).describe('expressions for one thing each: RefCOCO, RefCOCO+, RefCOCOg')
type Config = z.infer<typeof schema>

/**
 * Pictures of RefCOCO, RefCOCO+, RefCOCOg and RefCLEF as REFER gives them: `path` is the file of references
 * (such as `refs(unc).p`, a pickle that is read as data, or the same as JSON), `instances` the
 * `instances.json` beside it, `images` the folder of pictures, `split` which of them to take (such as `val`;
 * all by default). Each expression is a caption that names one box.
 */
export const refcoco: SourceFormat<typeof schema> = {
  name: 'refcoco',
  schema,
  isWhole: true,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const { instances, split } = config
    if (!instances)
      throw new UserError('A refcoco source needs `instances`: the instances.json beside its references.')
    const contents = memoize(() => readContents(path, instances, split || undefined))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(path, await contents(), config, from)
      },
      files: async () => [path, instances],
    })
  },
}

/** The references of a split, by the pictures that they are of. */
interface Contents {
  readonly index: CocoIndex
  readonly images: readonly CocoImage[]
  /** By the picture's id. */
  readonly references: ReadonlyMap<Id, readonly Reference[]>
  /** References that cannot be read, those of pictures that are not there, and what is wrong with those. */
  readonly problems: readonly FileProblem[]
}

async function readContents(path: string, instances: string, split: string | undefined): Promise<Contents> {
  const read = await readReferences(path, split)
  const problems = problemList(path)
  for (const { index, problem } of read.problems)
    problems.add('references', index, 'malformed_row', problem, 1)
  const references = new Map<Id, Reference[]>()
  for (const reference of read.references) {
    const known = references.get(reference.image_id)
    if (known) known.push(reference)
    else references.set(reference.image_id, [reference])
  }
  const index = await readCocoIndex(undefined, instances)
  const images = index.images.filter(({ id }) => references.has(id))
  const known = new Set(images.map(({ id }) => id))
  for (const [id, own] of references) {
    const problem = `no picture ${id} in ${instances}`
    if (!known.has(id)) problems.add('references', undefined, 'unknown_picture', problem, own.length)
  }
  return { index, images, references, problems: [...problems.found(), ...index.problems] }
}

function* rowsOf(path: string, contents: Contents, config: Config, from?: Mark): Generator<SourceRow> {
  const { images, problems } = contents
  for (let at = from?.at ?? 0; at < images.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const image = images[at]
    const bad = problems[at - images.length]
    if (image) yield pictureRow(mark, path, image, contents, config)
    else if (bad) yield fileProblemRow(mark, bad)
  }
}

function pictureRow(
  mark: Mark,
  path: string,
  { id, file_name, width, height, license }: CocoImage,
  { index, references }: Contents,
  config: Config,
): SourceRow {
  const captions: string[] = []
  const regions: GoldRegion[] = []
  const dropped: Record<string, number> = {}
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const boxes = boxesById(index.boxes.get(id) ?? [])
  for (const { ann_id, sentences } of references.get(id) ?? []) {
    const box = boxes.get(ann_id) ?? 'unknown_annotation'
    if (typeof box === 'string') {
      drop(box)
      continue
    }
    const [x, y, w, h] = box
    for (const { sent } of sentences) {
      const text = sent?.trim() ?? ''
      if (text === '') {
        drop('blank_caption')
        continue
      }
      const caption = captions.push(text) - 1
      const xyxy: Xyxy = [x, y, x + w, y + h]
      regions.push({ category: '', order: 0, xyxy, spans: [[0, [...text].length]], caption })
    }
  }
  return sourceRow({
    mark,
    place: `${path} picture ${id}`,
    ...(placeOf(file_name, config, index.isSoleEnd) ?? { url: file_name }),
    captions: captions.map((text) => ({ text, kind: 'gold' })),
    regions,
    dropped,
    size: width && height ? { width, height } : null,
    license: license === undefined ? null : (index.licenses.get(license) ?? null),
    meta: { id: idNumber(id), file_name },
  })
}

/** A picture's boxes by the ids of their annotations, or why one is none. */
function boxesById(annotations: readonly CocoAnnotation[]): Map<Id, Xywh | string> {
  const boxes = new Map<Id, Xywh | string>()
  for (const { id, bbox } of annotations) {
    if (id !== undefined) boxes.set(id, boxes.has(id) ? 'shared_id' : (bbox ?? 'malformed_box'))
  }
  return boxes
}
