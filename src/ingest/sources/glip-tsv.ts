import { type FileHandle, open, stat } from 'node:fs/promises'
import { z } from 'zod'
import { readListText, unreadable } from '../../base/files/read-file.js'
import { memoize } from '../../base/memoize.js'
import { jsonProblem, parseJson } from '../../base/parse-json.js'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { UserError } from '../../base/user-error.js'
import { withoutNulls } from '../../base/without-nulls.js'
import { cornersOf, numberOf } from '../../formats/box-numbers.js'
import type { Mark } from '../../formats/mark.js'
import { readBytes } from '../../formats/read-bytes.js'
import { readLines } from '../../formats/read-lines.js'
import { readAt } from '../../formats/read-tar.js'
import { type TokenSpan, tokenSpans } from '../../formats/token-spans.js'
import { Reject } from '../fetch/reject.js'
import { sizeOf } from '../read/region-values.js'
import { rowSource } from '../read/row-source.js'
import { requirePath, type SourceFormat } from '../read/source-format.js'
import { minScore, optionalText, sourceSchema } from '../read/source-keys.js'
import { sourceNotes } from '../read/source-notes.js'
import { type GoldRegion, problemRow, type SourceRow, sourceRow } from '../read/source-row.js'

const schema = sourceSchema('glip-tsv', {
  path: optionalText('the TSV of labels'),
  images: optionalText('the TSV of pictures'),
  min_score: minScore,
}).describe("pictures and boxes in GLIP's own TSV files")

const side = z
  .unknown()
  .optional()
  .transform((value) => numberOf(value) ?? 0)
const labelSchema = z.object({
  img_h: side,
  img_w: side,
  caption: z.string().optional(),
  captions: z.array(z.unknown()).optional(),
  // What is null or absent is none: boxes are then counted, and the caption comes in.
  bboxes: z.array(z.unknown()).default([]),
  scores: z.array(z.unknown()).default([]),
  tokens_positive: z.array(z.unknown()).default([]),
  source_id: z.string().optional().catch(undefined),
  source_name: z.string().optional().catch(undefined),
})

/** A label holds the boxes of a caption, a picture's line the picture. */
const maxLineBytes = 64 << 20

/**
 * GLIP's TSV of captions that a model has grounded: `path` is the TSV of labels (key, JSON), `images` the TSV
 * of pictures (key, …, base64), line for line, with its `.lineidx` of byte offsets where there is one. Both
 * forms of label are read: a box an entry, or an entry an entity with a list of boxes. Boxes under
 * `min_score` are left out and counted.
 */
export const glipTsv: SourceFormat<typeof schema> = {
  name: 'glip-tsv',
  schema,
  hasBoxes: () => true,
  open(config) {
    const path = requirePath(config)
    const { images, min_score } = config
    if (!images) throw new UserError('A glip-tsv source needs `images`: the TSV of its pictures.')
    const pictures = memoize(async () => ({ path: images, offsets: await readOffsets(images) }))
    return rowSource({
      async *rows(from) {
        yield* rowsOf(path, await pictures(), min_score, from)
      },
      files: async () => [path, images],
    })
  },
}

/** The TSV of pictures, and where each of its lines begins. */
interface PictureLines {
  readonly path: string
  readonly offsets: Float64Array
}

async function* rowsOf(
  path: string,
  pictures: PictureLines,
  minScore: number,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { offsets } = pictures
  for await (const line of readLines(path, from, maxLineBytes)) {
    const { mark } = line
    const place = `${path}:${mark.line}`
    if (line.text === null) {
      yield problemRow(mark, place, line.problem)
      continue
    }
    const tab = line.text.indexOf('\t')
    const label = labelOf(line.text.slice(tab + 1))
    const at = mark.line - 1
    if (tab === -1 || typeof label === 'string')
      yield problemRow(mark, place, tab === -1 ? 'a key, a tab and a label were expected' : (label as string))
    else if (at >= offsets.length)
      yield problemRow(mark, place, `${pictures.path} has only ${offsets.length} lines`)
    else {
      const key = line.text.slice(0, tab)
      yield labelRow(mark, place, key, label, minScore, () => readPicture(pictures, at, key))
    }
  }
}

type Label = z.infer<typeof labelSchema>

function labelRow(
  mark: Mark,
  place: string,
  key: string,
  label: Label,
  minScore: number,
  load: () => Promise<Uint8Array>,
): SourceRow {
  const first = label.captions?.[0]
  const caption = label.caption ?? (typeof first === 'string' ? first : '')
  const dropped: Record<string, number> = {}
  const regions = label.bboxes.flatMap((entityBoxes, entity): GoldRegion[] => {
    const isList = Array.isArray(entityBoxes) && Array.isArray(entityBoxes[0])
    const boxes: readonly unknown[] = isList ? entityBoxes : [entityBoxes]
    const scores = [label.scores[entity]].flat()
    const spans = entitySpans(label.tokens_positive[entity])
    return boxes.flatMap((value, index): GoldRegion[] => {
      const xyxy = cornersOf(value)
      const score = numberOf(scores[index]) ?? Number.NaN
      if (xyxy && spans && score >= minScore && score <= 1)
        return [{ category: '', order: 0, xyxy, spans, found: { score, by: 'glip' } }]
      const why = xyxy && spans && score >= 0 && score < minScore ? 'score' : 'malformed_box'
      dropped[why] = (dropped[why] ?? 0) + 1
      return []
    })
  })
  return sourceRow({
    mark,
    place,
    load,
    captions: caption.trim() === '' ? [] : [{ text: caption, kind: 'web' }],
    regions,
    dropped,
    size: sizeOf(label.img_w, label.img_h),
    meta: { key, ...sourceNotes(label) },
  })
}

/** The spans of an entity: pairs, or lists of them. */
function entitySpans(value: unknown = []): readonly TokenSpan[] | undefined {
  const isNested = Array.isArray(value) && value.some((part) => Array.isArray(part) && Array.isArray(part[0]))
  return tokenSpans(isNested ? value.flatMap((part) => (Array.isArray(part?.[0]) ? part : [part])) : value)
}

function labelOf(text: string): Label | string {
  try {
    const parsed = labelSchema.safeParse(withoutNulls(parseJson(text)), inWords)
    if (parsed.success) return parsed.data
    return firstIssue(parsed.error)
  } catch (error) {
    return `not JSON: ${jsonProblem(text, error)}`
  }
}

/** Where each line of the pictures begins: eight bytes a picture. */
async function readOffsets(images: string): Promise<Float64Array> {
  const indexFile = images.replace(/\.tsv$/i, '.lineidx')
  const text = indexFile === images ? undefined : await readListText(indexFile).catch(() => undefined)
  if (text !== undefined) {
    const offsets = Float64Array.from(
      text.split('\n').filter((line) => line.trim() !== ''),
      Number,
    )
    const { size } = await stat(images).catch(unreadable(images))
    if (
      offsets.every(
        (offset, at) => offset >= 0 && offset < size && (at === 0 || offset > (offsets[at - 1] ?? 0)),
      )
    )
      return offsets
    throw new UserError(`${indexFile} is not the index of ${images}: delete it, and the lines are counted.`)
  }
  const starts = [0]
  let base = 0
  for await (const chunk of readBytes(images)) {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) starts.push(base + at + 1)
    base += chunk.length
  }
  if (starts.at(-1) === base) starts.pop()
  return Float64Array.from(starts)
}

async function readPicture({ path, offsets }: PictureLines, at: number, key: string): Promise<Uint8Array> {
  const handle: FileHandle = await open(path, 'r')
  try {
    const start = offsets[at] ?? 0
    const end = offsets[at + 1] ?? (await handle.stat()).size
    if (end - start > maxLineBytes)
      throw new Reject('too_large', `${path}:${at + 1} has more than ${maxLineBytes >> 20} MiB`)
    const line = Buffer.from(await readAt(handle, start, end - start)).toString('latin1')
    const cells = line.replace(/\r?\n$/, '').split('\t')
    const own = Buffer.from(cells[0] ?? '', 'latin1').toString()
    if (cells.length < 2 || own !== key)
      throw new Reject('malformed_row', `${path}:${at + 1} holds "${own.slice(0, 80)}", not "${key}"`)
    return Buffer.from(cells.at(-1) ?? '', 'base64')
  } finally {
    await handle.close()
  }
}
