import { z } from 'zod'
import { readText } from '../../base/files/read-file.js'
import { memoize } from '../../base/memoize.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Mark } from '../../formats/mark.js'
import { linesOf } from '../../formats/text-lines.js'
import type { VocAnnotation, VocBox } from '../../formats/voc-annotation.js'
import { readVocFolder, type VocFolder } from '../../formats/voc-folder.js'
import { Reject } from '../fetch/reject.js'
import { readLocalFile } from '../read/local-file.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { exhaustive, imageFolder, optionalText, outside, prompt, sourceSchema } from '../read/source-keys.js'
import {
  type GoldRegion,
  type IgnoredBox,
  problemRow,
  type SourceRow,
  sourceRow,
} from '../read/source-row.js'

const schema = sourceSchema('voc', {
  path: optionalText('the folder with Annotations, or with XML beside the pictures'),
  images: imageFolder,
  split: optionalText(
    'the list in ImageSets/Main, such as trainval, or a folder of that name; all by default',
  ),
  classes: optionalText('a text file of all names of classes, a line each'),
  corners: z
    .enum(['pixels', 'edges'])
    .optional()
    .describe(
      'whether a box goes from pixel to pixel, counted from 1 (the default), or from edge to edge, from 0',
    ),
  exhaustive,
  prompt,
  outside,
}).describe('boxes in an XML file a picture, as Pascal VOC has them')
type Config = z.infer<typeof schema>

/**
 * Pictures of Pascal VOC's form, an XML file each (`parseVocAnnotation`, `readVocFolder`). As VOC says it,
 * `xmin` to `xmax` are pixels counted from 1, both within the box, whose edges are xmin - 1 and xmax;
 * labelImg, CVAT and others write edges (`corners: edges`). Boxes that are `difficult` are left out, and
 * counted: evaluation neither asks for them nor counts them as wrong. A class without a box is absent, unless
 * the configuration says otherwise.
 */
export const voc: SourceFormat<typeof schema> = {
  name: 'voc',
  schema,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const listing = memoize(async () => ({
      folder: await readVocFolder(path, config.images, config.split),
      classes: config.classes === undefined ? [] : namesIn(await readText(config.classes)),
    }))
    return rowSource({
      async *rows(from) {
        const { folder, classes } = await listing()
        yield* rowsOf(folder, classes, config, from)
      },
    })
  },
}

/** CVAT's `labelmap.txt` has colours behind the names, comments, and the background. */
const namesIn = (text: string): string[] =>
  linesOf(text)
    .filter((line) => !line.startsWith('#') && !/^background:/i.test(line))
    .map((line) => line.replace(/:[\d,]*:.*$/, ''))

async function* rowsOf(
  { root, pictures, annotations, picture }: VocFolder,
  classes: readonly string[],
  config: Config,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  // A reader of XML, for which all other sources would wait.
  const { maxAnnotationBytes, parseVocAnnotation } = await import('../../formats/voc-annotation.js')
  const files = { roots: [root], outside: config.outside, maxBytes: maxAnnotationBytes }
  const roots = config.images === undefined ? [root] : [pictures]
  for (let at = from?.at ?? 0; at < annotations.length; at++) {
    const place = annotations[at] as string
    const mark = { at, line: 0 }
    const annotation = await readLocalFile(place, files)
      .then(parseVocAnnotation)
      .catch((error: Error) => error)
    if (annotation instanceof Error && (annotation as NodeJS.ErrnoException).code === 'ENOENT') {
      const detail = `${place}: the split lists it, and it is not there`
      yield sourceRow({ mark, place, problem: { reason: 'missing_file', detail } })
      continue
    }
    if (annotation instanceof Reject) {
      const { reason, message } = annotation
      yield sourceRow({ mark, place, problem: { reason, detail: `${place}: ${message}` } })
      continue
    }
    if (annotation instanceof Error) {
      yield problemRow(mark, place, annotation.message)
      continue
    }
    const found = picture(place, annotation.filename)
    const row =
      'file' in found
        ? { file: found.file, roots, meta: { file_name: found.name } }
        : { problem: { reason: 'missing_file', detail: `${place}: ${found.problem}` } }
    yield sourceRow({ mark, place, ...contentOf(annotation, classes, config), ...row })
  }
}

/** Boxes and what is absent. */
function contentOf(
  { size, objects }: VocAnnotation,
  classes: readonly string[],
  { exhaustive = true, corners = 'pixels', prompt }: Config,
): Partial<SourceRow> {
  const dropped: Record<string, number> = {}
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const ignored: IgnoredBox[] = []
  const regions: GoldRegion[] = []
  const partial: string[] = []
  /** Whether it is known what all boxes are of. */
  let isClosed = true
  for (const { name, difficult, boxes } of objects) {
    const reason =
      name === '' ? 'unnamed_box' : boxes.length === 0 ? 'malformed_box' : difficult && 'difficult_box'
    if (reason) {
      drop(reason)
      if (name === '') isClosed = false
      else partial.push(name)
    }
    if (name === '') continue
    for (const box of boxes) {
      const xyxy = edgesOf(box, corners)
      if (difficult) ignored.push({ category: name, xyxy, crowd: false })
      else regions.push({ category: name, order: Math.max(0, classes.indexOf(name)), xyxy, spans: [] })
    }
  }
  const isExhaustive = isClosed && exhaustive
  const present = new Set([...regions.map(({ category }) => category), ...partial])
  const absent = isExhaustive && prompt.negatives > 0 ? classes : []
  return {
    regions,
    ignored,
    partial,
    dropped,
    exhaustive: isExhaustive,
    absent: absent.filter((name) => !present.has(name)),
    size: size ?? null,
  }
}

function edgesOf({ xyxy, isBndbox }: VocBox, corners: 'pixels' | 'edges'): Xyxy {
  const [x1, y1, x2, y2] = xyxy
  return corners === 'pixels' && isBndbox ? [x1 - 1, y1 - 1, x2, y2] : xyxy
}
