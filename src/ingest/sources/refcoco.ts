import { join } from 'node:path'
import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import { type CocoImage, type CocoIndex, readCocoIndex } from '../../formats/coco-index.js'
import type { Mark } from '../../formats/mark.js'
import { type Reference, readReferences } from '../../formats/refcoco-references.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { baseUrl, imageFolder, optionalText, sourceSchema } from '../read/source-keys.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('refcoco', {
  path: optionalText('the references, such as refs(unc).p'),
  images: imageFolder,
  instances: optionalText('the instances.json beside the references'),
  split: optionalText('the split to take; all by default'),
  base_url: baseUrl,
})
type Config = z.infer<typeof schema>

const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])

/**
 * Pictures of RefCOCO, RefCOCO+, RefCOCOg and RefCLEF as REFER gives them: `path` is the file of references
 * (such as `refs(unc).p`, a pickle that is read as data, or the same as JSON), `instances` the
 * `instances.json` beside it, `images` the folder of pictures, `split` which of them to take (such as `val`;
 * all by default). Each expression is a caption that names one box.
 */
export const refcoco: SourceFormat<typeof schema> = {
  name: 'refcoco',
  schema,
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
  readonly references: ReadonlyMap<string, readonly Reference[]>
  /** References that cannot be read, and pictures that are not there. */
  readonly problems: readonly string[]
}

async function readContents(path: string, instances: string, split: string | undefined): Promise<Contents> {
  const read = await readReferences(path, split)
  const references = new Map<string, Reference[]>()
  for (const reference of read.references) {
    const id = String(reference.image_id)
    const known = references.get(id)
    if (known) known.push(reference)
    else references.set(id, [reference])
  }
  const index = await readCocoIndex(undefined, instances)
  const images = index.images.filter(({ id }) => references.has(String(id)))
  const known = new Set(images.map(({ id }) => String(id)))
  const lost = [...references.keys()].filter((id) => !known.has(id))
  const problems = [
    ...read.problems.map(({ problem }) => problem),
    ...lost.map((id) => `no picture ${id} in ${instances}`),
  ]
  return { index, images, references, problems }
}

function* rowsOf(path: string, contents: Contents, config: Config, from?: Mark): Generator<SourceRow> {
  const { images, problems } = contents
  for (let at = from?.at ?? 0; at < images.length + problems.length; at++) {
    const mark = { at, line: 0 }
    const image = images[at]
    if (image) yield pictureRow(mark, path, image, contents, config)
    else yield problemRow(mark, path, problems[at - images.length] ?? '')
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
  let missing = 0
  const boxes = new Map((index.boxes.get(id) ?? []).map((box) => [String(box.id), box.bbox]))
  for (const { ann_id, sentences } of references.get(String(id)) ?? []) {
    const box = boxSchema.safeParse(boxes.get(String(ann_id)))
    if (!box.success) {
      missing++
      continue
    }
    const [x, y, w, h] = box.data
    for (const { sent } of sentences) {
      const text = sent.trim()
      if (text === '') continue
      const caption = captions.push(text) - 1
      const xyxy: Xyxy = [x, y, x + w, y + h]
      regions.push({ category: '', order: 0, xyxy, spans: [[0, [...text].length]], caption })
    }
  }
  return sourceRow({
    mark,
    place: `${path} picture ${id}`,
    ...(config.base_url || !config.images ? { url: file_name } : { file: join(config.images, file_name) }),
    captions: captions.map((text) => ({ text, kind: 'gold' })),
    regions,
    dropped: missing > 0 ? { malformed_box: missing } : {},
    size: width && height ? { width, height } : null,
    license: license === undefined ? null : (index.licenses.get(license) ?? null),
    meta: { id, file_name },
  })
}
