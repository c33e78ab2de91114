import { z } from 'zod'
import { readJson } from '../../base/files/read-json.js'
import { memoize } from '../../base/memoize.js'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { UserError } from '../../base/user-error.js'
import { withoutNulls } from '../../base/without-nulls.js'
import { cornersOf, numberOf } from '../../formats/box-numbers.js'
import { slashed } from '../../formats/coco-entries.js'
import { entryId } from '../../formats/entry-id.js'
import type { Mark } from '../../formats/mark.js'
import { readObjects } from '../../formats/read-objects.js'
import { type TokenSpan, tokenSpans } from '../../formats/token-spans.js'
import { type PicturePlaces, placeOf } from '../read/picture-place.js'
import { sizeOf } from '../read/region-values.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import {
  baseUrl,
  exhaustive,
  imageFolder,
  listPath,
  optionalText,
  outside,
  prompt,
  sourceSchema,
} from '../read/source-keys.js'
import { sourceNotes } from '../read/source-notes.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('odvg', {
  path: listPath,
  images: imageFolder,
  classes: optionalText('the JSON of label names'),
  exhaustive,
  base_url: baseUrl,
  prompt,
  outside,
}).describe('grounding or detection, a JSON object a line, as Grounding DINO and MMDetection read it (ODVG)')
type Config = z.infer<typeof schema>
const endings = ['.jsonl', '.json']

const size = z
  .unknown()
  .optional()
  .transform((value) => numberOf(value) ?? 0)
const lineSchema = z.object({
  filename: z.string().refine((name) => name.trim() !== '', 'expected the name of a file'),
  height: size,
  width: size,
  // MMDetection takes a line of detection without instances for a picture without boxes.
  detection: z.object({ instances: z.array(z.unknown()).default([]) }).optional(),
  grounding: z.object({ caption: z.string(), regions: z.array(z.unknown()).default([]) }).optional(),
  // Not of ODVG, whose readers pass them over: what this program's exports say besides.
  exhaustive: z.boolean().optional().catch(undefined),
  negatives: z.array(z.string()).optional().catch(undefined),
  partial: z.array(z.string()).optional().catch(undefined),
  source_id: z.string().optional().catch(undefined),
  source_name: z.string().optional().catch(undefined),
})

/** Lines hold every box of a picture, and crowded pictures have hundreds. */
const maxLineBytes = 64 << 20

/**
 * Pictures of MMDetection's ODVG files, an object a line: of detection (`instances` with a category, or a
 * label that `classes`, the label map, names) or of grounding (a caption and `regions`). A region without
 * `tokens_positive` names the first place in the caption where its phrase stands as a word. Boxes are x1 y1
 * x2 y2 in pixels.
 *
 * A line of detection with a label map is taken for exhaustive, as ODVG's readers take it, unless the
 * configuration or the line itself says otherwise; a line of grounding is not. A line may name `negatives`,
 * phrases that name nothing in the picture, and `partial`, categories of which not everything has a box.
 */
export const odvg: SourceFormat<typeof schema> = {
  name: 'odvg',
  schema,
  isRemote: true,
  endings,
  hasBoxes: () => true,
  open(config) {
    const { classes } = config
    const labels = memoize(async (): Promise<Labels> => (classes ? readLabels(classes) : new Map()))
    const rows = async function* (path: string, from: Mark | undefined) {
      yield* rowsOf(path, config, await labels(), from)
    }
    return fileSource(requirePath(config), endings, rows, { otherFiles: [classes] })
  },
}

async function* rowsOf(
  file: string,
  config: Config,
  labels: Labels,
  from: Mark | undefined,
): AsyncGenerator<SourceRow> {
  for await (const { mark, place, value, problem } of readObjects(file, from, maxLineBytes)) {
    const parsed = lineSchema.safeParse(withoutNulls(value), inWords)
    if (!value) yield problemRow(mark, place, problem)
    else if (parsed.success) yield pictureRow(mark, place, parsed.data, labels, config)
    else yield problemRow(mark, place, firstIssue(parsed.error))
  }
}

type Labels = ReadonlyMap<string, Label>

interface Label {
  readonly name: string
  readonly order: number
}

function pictureRow(
  mark: Mark,
  place: string,
  line: z.infer<typeof lineSchema>,
  labels: Labels,
  { images, base_url, outside, prompt, exhaustive = true }: Config,
): SourceRow {
  const { width, height, detection, grounding } = line
  const filename = slashed(line.filename)
  const dropped: Record<string, number> = {}
  const drop = (reason: string): [] => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
    return []
  }
  /** Whether it is known what all boxes of detection are of. */
  let isClosed = detection !== undefined && labels.size > 0
  const named = (detection?.instances ?? []).flatMap((value, index): GoldRegion[] => {
    const instance = Object(value) as Record<string, unknown>
    const xyxy = cornersOf(instance.bbox)
    const label = labels.get(entryId(instance.label) ?? '')
    const { category = label?.name } = instance
    const isNamed = typeof category === 'string' && category.trim() !== ''
    if (xyxy && isNamed) return [{ category, order: label?.order ?? index, xyxy, spans: [] }]
    isClosed = false
    return drop(xyxy ? 'unnamed_box' : 'malformed_box')
  })
  const caption = grounding?.caption ?? ''
  const spanned = (grounding?.regions ?? []).flatMap((value): GoldRegion[] => {
    const { bbox, phrase, tokens_positive } = Object(value) as Record<string, unknown>
    const given = tokenSpans(tokens_positive)
    const boxes = (Array.isArray(bbox) && Array.isArray(bbox[0]) ? bbox : [bbox]).map(cornersOf)
    if (!given) return boxes.flatMap(() => drop('malformed_box'))
    const spans = given.length === 0 ? placesOf(phrase, caption) : given
    return boxes.flatMap((xyxy) => {
      if (!xyxy) return drop('malformed_box')
      return spans.length === 0 ? drop('unnamed_box') : [{ category: '', order: 0, xyxy, spans }]
    })
  })
  const present = new Set(named.map(({ category }) => category))
  const isExhaustive = isClosed && (line.exhaustive ?? exhaustive)
  const negatives = line.negatives ?? []
  const all = [...labels.values()].map(({ name }) => name)
  const absent = isExhaustive ? all.filter((name) => !present.has(name)) : negatives
  return sourceRow({
    mark,
    place,
    ...locate(filename, { images, base_url, outside }),
    captions: caption.trim() === '' ? [] : [{ text: caption, kind: 'gold' }],
    regions: [...named, ...spanned],
    absent: prompt.negatives > 0 ? absent : [],
    exhaustive: isExhaustive,
    negatives,
    partial: line.partial ?? [],
    dropped,
    size: sizeOf(width, height),
    meta: { file_name: filename, ...sourceNotes(line) },
  })
}

/** Its lines are not held: which names are those of one picture alone is not known. */
function locate(filename: string, config: PicturePlaces) {
  const place = placeOf(filename, config, () => false)
  if (place) return place
  throw new UserError('An odvg source needs `images`: the folder that its file names start from.')
}

/** The first places in a caption where the words of a phrase, or of each of a list, stand. */
function placesOf(phrase: unknown, caption: string): TokenSpan[] {
  // Where small letters are longer than capitals, places would not be the caption's.
  const small = caption.toLowerCase()
  const lower = small.length === caption.length ? small : caption
  return [phrase].flat().flatMap((words) => {
    const start = typeof words === 'string' ? findWords(lower, words.toLowerCase()) : -1
    if (start === -1) return []
    const from = [...caption.slice(0, start)].length
    return [[from, from + [...(words as string)].length] as const]
  })
}

/** Where words stand in a text with no letter or digit next to them. */
function findWords(text: string, words: string): number {
  if (words === '') return -1
  for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + 1)) {
    const around = (text[at - 1] ?? ' ') + (text[at + words.length] ?? ' ')
    if (!/[\p{L}\p{N}]/u.test(around)) return at
  }
  return -1
}

/** A label map: `{"0": "person"}`. A label whose name is none has none: its boxes are counted as such. */
async function readLabels(path: string): Promise<Labels> {
  const value = await readJson(path)
  const entries = typeof value === 'object' && value ? Object.entries(value) : []
  const names = entries.flatMap(([key, name]) => {
    const id = entryId(key)
    return id !== undefined && typeof name === 'string' ? [[id, name] as const] : []
  })
  if (names.length === 0 && (entries.length > 0 || typeof value !== 'object'))
    throw new UserError(`${path} is no label map: {"0": "person", …} was expected.`)
  return new Map(names.map(([id, name], order) => [id, { name, order }]))
}
