import { join } from 'node:path'
import { z } from 'zod'
import { memoize } from '../../base/memoize.js'
import { readJson } from '../../base/read-json.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { readObjects } from '../../formats/read-objects.js'
import { type TokenSpan, tokenSpans } from '../../formats/token-spans.js'
import { fileSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import {
  baseUrl,
  exhaustive,
  imageFolder,
  listPath,
  optionalText,
  prompt,
  sourceSchema,
} from '../read/source-keys.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('odvg', {
  path: listPath,
  images: imageFolder,
  classes: optionalText('the JSON of label names'),
  exhaustive,
  base_url: baseUrl,
  prompt,
})
type Config = z.infer<typeof schema>
const endings = ['.jsonl', '.json']

const boxSchema = z.tuple([z.number(), z.number(), z.number(), z.number()])
const lineSchema = z.object({
  filename: z.string().min(1),
  height: z.number().positive(),
  width: z.number().positive(),
  detection: z.object({ instances: z.array(z.unknown()) }).optional(),
  grounding: z.object({ caption: z.string(), regions: z.array(z.unknown()) }).optional(),
  // Not of ODVG, whose readers pass them over: what this program's exports say besides.
  exhaustive: z.boolean().optional().catch(undefined),
  negatives: z.array(z.string()).optional().catch(undefined),
  partial: z.array(z.string()).optional().catch(undefined),
})
const instanceSchema = z.object({
  bbox: boxSchema,
  label: z.union([z.int(), z.string()]).optional(),
  category: z.string().optional(),
})
const regionSchema = z.object({
  bbox: z.union([boxSchema, z.array(boxSchema)]),
  phrase: z.union([z.string(), z.array(z.string())]).optional(),
  tokens_positive: z.unknown(),
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
  endings,
  hasBoxes: () => true,
  open(config) {
    const { classes } = config
    const labels = memoize(async (): Promise<Labels> => (classes ? readLabels(classes) : new Map()))
    const rows = async function* (path: string, from: Mark | undefined) {
      yield* rowsOf(path, config, await labels(), from)
    }
    return fileSource(requirePath(config), endings, rows, [classes])
  },
}

async function* rowsOf(
  file: string,
  config: Config,
  labels: Labels,
  from: Mark | undefined,
): AsyncGenerator<SourceRow> {
  for await (const { mark, place, value, problem } of readObjects(file, from, maxLineBytes)) {
    const parsed = lineSchema.safeParse(value)
    if (!value) yield problemRow(mark, place, problem)
    else if (parsed.success) yield pictureRow(mark, place, parsed.data, labels, config)
    else {
      const [issue] = parsed.error.issues
      yield problemRow(mark, place, `${issue?.path.join('.')}: ${issue?.message}`)
    }
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
  { images, base_url, prompt, exhaustive = true }: Config,
): SourceRow {
  const { filename, width, height, detection, grounding } = line
  const dropped: Record<string, number> = {}
  const drop = (reason: string): [] => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
    return []
  }
  /** Whether it is known what all boxes of detection are of. */
  let isClosed = detection !== undefined && labels.size > 0
  const named = (detection?.instances ?? []).flatMap((value, index): GoldRegion[] => {
    const parsed = instanceSchema.safeParse(value)
    if (!parsed.success) {
      isClosed = false
      return drop('malformed_box')
    }
    const label = labels.get(String(parsed.data.label))
    const category = parsed.data.category ?? label?.name
    if (!category) {
      isClosed = false
      return drop('unnamed_box')
    }
    return [{ category, order: label?.order ?? index, xyxy: parsed.data.bbox, spans: [] }]
  })
  const caption = grounding?.caption ?? ''
  const spanned = (grounding?.regions ?? []).flatMap((value): GoldRegion[] => {
    const parsed = regionSchema.safeParse(value)
    if (!parsed.success) return drop('malformed_box')
    const spans = spansOf(parsed.data, caption)
    if (!spans) return drop('malformed_box')
    if (spans.length === 0) return drop('unnamed_box')
    const boxes = parsed.data.bbox as readonly unknown[]
    const all = (Array.isArray(boxes[0]) ? boxes : [boxes]) as GoldRegion['xyxy'][]
    return all.map((xyxy) => ({ category: '', order: 0, xyxy, spans }))
  })
  const present = new Set(named.map(({ category }) => category))
  const isExhaustive = isClosed && (line.exhaustive ?? exhaustive)
  const negatives = line.negatives ?? []
  const all = [...labels.values()].map(({ name }) => name)
  const absent = isExhaustive ? all.filter((name) => !present.has(name)) : negatives
  return sourceRow({
    mark,
    place,
    ...locate(filename, images, base_url),
    captions: caption.trim() === '' ? [] : [{ text: caption, kind: 'gold' }],
    regions: [...named, ...spanned],
    absent: prompt.negatives > 0 ? absent : [],
    exhaustive: isExhaustive,
    negatives,
    partial: line.partial ?? [],
    dropped,
    size: { width, height },
    meta: { file_name: filename },
  })
}

/** A file name may be an address itself; any other starts from the folder, or from `base_url`. */
function locate(filename: string, images: string | undefined, base: string | undefined) {
  if (/^https?:\/\//.test(filename)) return { url: filename }
  if (base) return { url: filename.split('/').map(encodeURIComponent).join('/') }
  if (images) return { file: join(images, filename) }
  throw new UserError('An odvg source needs `images`: the folder that its file names start from.')
}

function spansOf(
  { tokens_positive, phrase }: z.infer<typeof regionSchema>,
  caption: string,
): readonly TokenSpan[] | undefined {
  const spans = tokenSpans(tokens_positive ?? undefined)
  if (spans?.length !== 0) return spans
  // Where small letters are longer than capitals, places would not be the caption's.
  const small = caption.toLowerCase()
  const lower = small.length === caption.length ? small : caption
  return [phrase ?? []].flat().flatMap((words) => {
    const start = findWords(lower, words.toLowerCase())
    if (start === -1) return []
    const from = [...caption.slice(0, start)].length
    return [[from, from + [...words].length] as const]
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

/** A label map: `{"0": "person"}`. */
async function readLabels(path: string): Promise<Labels> {
  const value = await readJson(path)
  const parsed = z.record(z.string(), z.string()).safeParse(value)
  if (!parsed.success) throw new UserError(`${path} is no label map: {"0": "person", …} was expected.`)
  return new Map(Object.entries(parsed.data).map(([id, name], order) => [id, { name, order }]))
}
