import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { decodeText } from '../../base/decode-text.js'
import { isInside } from '../../base/files/inside.js'
import { notUtf8 } from '../../base/files/read-file.js'
import { memoize } from '../../base/memoize.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { readObjects } from '../../formats/read-objects.js'
import { readYoloDataset, type YoloDataset } from '../../formats/yolo-dataset.js'
import { labelsBeside, labelsPath, parseYoloLabels, seemingKeypoints } from '../../formats/yolo-labels.js'
import { Reject } from '../fetch/reject.js'
import { type LocalFiles, readLocalFile } from '../read/local-file.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { exhaustive, optionalText, outside, prompt, sourceSchema } from '../read/source-keys.js'
import { sourceNotes } from '../read/source-notes.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('yolo', {
  path: optionalText('the data.yaml, the obj.data, the classes.txt, or their folder'),
  split: optionalText('the key that names the pictures, such as val; train by default'),
  exhaustive,
  prompt,
  outside,
})
type Config = z.infer<typeof schema>

/**
 * Pictures of YOLO's form: Ultralytics' `data.yaml`, Darknet's `obj.data`, or a folder with a list of names
 * (`readYoloDataset`). In place of each picture's last folder `images` there is `labels` with a text file of
 * its name, a line a box (`parseYoloLabels`); where no picture has one there, it lies beside the picture. A
 * picture without such a file has no boxes. A class without a box is absent, unless the configuration says
 * otherwise.
 */
export const yolo: SourceFormat<typeof schema> = {
  name: 'yolo',
  schema,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const listing = memoize(() => readListing(path, config))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(await listing(), config, from)
      },
    })
  },
}

interface Listing extends YoloDataset {
  /** What a list beside says of the pictures, by their files. */
  readonly notes: ReadonlyMap<string, Partial<SourceRow>>
  readonly labelPath: (picture: string) => string
  readonly labelFiles: LocalFiles
}

/**
 * What the list that an export has beside its `data.yaml` says of pictures: their ids and names in the source they came
 * from, and their addresses. Nothing where there is none, or another's.
 */
async function readNotes(path: string): Promise<Listing['notes']> {
  const folder = (await stat(path)).isDirectory() ? path : dirname(path)
  const list = join(folder, 'metadata.jsonl')
  const notes = new Map<string, Partial<SourceRow>>()
  if (!(await stat(list).catch(() => undefined))?.isFile() || !(await isInside(list, [folder]))) return notes
  for await (const { value } of readObjects(list)) {
    const parsed = noteSchema.safeParse(value)
    if (!parsed.success) continue
    const { file_name, url = null, license = null, ...names } = parsed.data
    notes.set(join(folder, file_name), { url, license, meta: sourceNotes(names) as SourceRow['meta'] })
  }
  return notes
}

const text = z.string().optional().catch(undefined)
const noteSchema = z.object({
  file_name: z.string(),
  source_id: text,
  source_name: text,
  url: text,
  license: text,
})

/** So many label files are looked into to learn whether they hold keypoints. */
const filesTried = 64

async function readListing(path: string, { split, outside }: Config): Promise<Listing> {
  const dataset = await readYoloDataset(path, split, outside)
  const labelPath = await findLabels(path, dataset.pictures)
  const twins = dataset.roots.map((root) => dirname(labelsPath(join(root, 'any.jpg'))))
  const labelFiles = { roots: [...dataset.roots, ...twins], outside, maxBytes: maxLabelBytes }
  if (dataset.keypoints === undefined) {
    const texts = await Promise.all(
      dataset.pictures
        .slice(0, filesTried)
        .map((picture) => readLabels(labelPath(picture), labelFiles).catch(() => '')),
    )
    const shape = seemingKeypoints(texts)
    if (shape)
      throw new UserError(
        `${path} does not say kpt_shape, but its rows seem to be boxes with keypoints: say kpt_shape: [${shape.join(', ')}] in it, or kpt_shape: [0, ${shape[1]}] where they are outlines.`,
      )
  }
  return { ...dataset, labelPath, labelFiles, notes: await readNotes(path) }
}

/** Where the labels of the pictures lie: in `labels`, or, where none does, beside the pictures. */
async function findLabels(path: string, pictures: readonly string[]): Promise<(picture: string) => string> {
  for (const place of [labelsPath, labelsBeside])
    for (const picture of pictures)
      for (const path of [place(picture), place(picture).replace(/\.txt$/, '.TXT')])
        if (await stat(path).catch(() => undefined)) return place
  const [first = ''] = pictures
  throw new UserError(
    `${path}: none of the pictures has labels (looked for: ${[...new Set([labelsPath(first), labelsBeside(first)])].join(', ')}).`,
  )
}

/** A picture with hundreds of outlines has a few MiB. */
const maxLabelBytes = 64 << 20

/** The text of a label file, whose ending may be in capitals; empty where there is none. */
async function readLabels(path: string, files: LocalFiles): Promise<string> {
  for (const place of [path, path.replace(/\.txt$/, '.TXT')]) {
    try {
      const text = decodeText(await readLocalFile(place, files))
      if (text === undefined) throw new Error(notUtf8)
      return text
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
    }
  }
  return ''
}

async function* rowsOf(listing: Listing, config: Config, from?: Mark): AsyncGenerator<SourceRow> {
  for (let at = from?.at ?? 0; at < listing.pictures.length; at++) {
    const picture = listing.pictures[at] as string
    const mark = { at, line: 0 }
    const path = listing.labelPath(picture)
    const labels = await readLabels(path, listing.labelFiles).catch((error: Error) => error)
    if (typeof labels === 'string') yield pictureRow(mark, picture, labels, listing, config)
    else if (labels instanceof Reject) {
      const { reason, message } = labels
      const detail = `${picture}: its labels cannot be read: ${message}`
      yield sourceRow({ mark, place: picture, problem: { reason, detail } })
    } else yield problemRow(mark, picture, `its labels cannot be read: ${path}: ${labels.message}`)
  }
}

function pictureRow(
  mark: Mark,
  file: string,
  labels: string,
  { names, keypoints, roots, notes }: Listing,
  { exhaustive = true, prompt }: Config,
): SourceRow {
  const dropped: Record<string, number> = {}
  const drop = (reason: string): [] => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
    return []
  }
  const partial: string[] = []
  /** Whether it is known what all boxes are of. */
  let isClosed = true
  const regions = parseYoloLabels(labels, keypoints).flatMap(({ id, xyxy, reason }): GoldRegion[] => {
    const category = names.get(id)
    if (category === undefined) isClosed = false
    if (reason === undefined && category !== undefined) return [{ category, order: id, xyxy, spans: [] }]
    if (reason !== undefined && reason !== 'duplicate_box' && category !== undefined) partial.push(category)
    return drop(reason ?? 'unnamed_box')
  })
  const isExhaustive = isClosed && exhaustive
  const own = notes.get(file)
  const present = new Set(regions.map(({ category }) => category))
  const absent = isExhaustive && prompt.negatives > 0 ? [...names.values()] : []
  return sourceRow({
    mark,
    place: file,
    file,
    roots,
    regions,
    boxUnit: 'share',
    absent: absent.filter((name) => !present.has(name) && !partial.includes(name)),
    exhaustive: isExhaustive,
    partial,
    dropped,
    ...own,
    meta: { file_name: file, ...own?.meta },
  })
}
