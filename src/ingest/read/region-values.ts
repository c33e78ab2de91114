import { z } from 'zod'
import { parseJson } from '../../base/parse-json.js'
import { inWords } from '../../base/schema-words.js'
import { withoutNulls } from '../../base/without-nulls.js'
import { numberOf } from '../../formats/box-numbers.js'
import type { Caption } from '../../rows/rows.js'
import { type GoldRegion, type SourceRow, sourceRow } from './source-row.js'

const captionSchema = z.union([
  z.string().transform((text): Caption => ({ text, kind: 'web' })),
  z.object({ text: z.string(), kind: z.enum(['web', 'gold', 'categories']).catch('web') }),
])

const regionSchema = z.object({
  caption: z.int().min(0).default(0),
  start: z.int(),
  end: z.int(),
  head: z.string().optional(),
  xyxy: z.array(z.unknown().transform(numberOf).pipe(z.number())).length(4),
  score: z.number().min(0).max(1).default(1),
  origin: z.string().default('gold'),
})

type RowFields = Pick<SourceRow, 'mark' | 'place'> & Partial<SourceRow>

/**
 * A row with the captions and the regions of two values: captions are texts or objects of `text` and `kind`,
 * regions objects of `caption` (a place among the captions), `start`, `end` (code points), `xyxy` (pixels),
 * and perhaps `head`, `score` and `origin`. That is how `groundmill export` writes them. Either may be JSON
 * text.
 */
export function regionRow(fields: RowFields, captionValue: unknown, regionValue: unknown): SourceRow {
  const captions: Caption[] = []
  /** Where a caption stands among those that are kept: regions count all of them. */
  const places = [parsed(captionValue) ?? []].flat().map((value) => {
    const caption = captionSchema.safeParse(withoutNulls(value), inWords)
    return caption.success ? captions.push(caption.data) - 1 : undefined
  })
  const regions = parsed(regionValue)
  if (!Array.isArray(regions))
    return sourceRow({
      ...fields,
      problem: { reason: 'malformed_row', detail: `${fields.place}: its regions are no list` },
    })
  const dropped: Record<string, number> = {}
  const sound = regions.flatMap((value): GoldRegion[] => {
    const region = regionSchema.safeParse(withoutNulls(value), inWords)
    const caption = region.success ? places[region.data.caption] : undefined
    if (region.success && caption !== undefined) return [goldRegion({ ...region.data, caption })]
    dropped.malformed_box = (dropped.malformed_box ?? 0) + 1
    return []
  })
  return sourceRow({ ...fields, captions, regions: sound, dropped })
}

/** A region by the span of its caption; one that a model has found keeps its score. */
export function goldRegion({
  caption,
  start,
  end,
  head,
  xyxy,
  score,
  origin,
}: z.infer<typeof regionSchema>): GoldRegion {
  return {
    category: '',
    order: 0,
    xyxy: xyxy as unknown as GoldRegion['xyxy'],
    spans: [[start, end]],
    caption,
    ...(head && { head }),
    ...(origin !== 'gold' && { found: { score, by: origin } }),
  }
}

/** A value; JSON text of a list is parsed. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*\[/.test(value)) return value
  try {
    return parseJson(value)
  } catch {
    return value
  }
}

/** What a row says of the size of its picture. */
export function sizeOf(width: unknown, height: unknown): SourceRow['size'] {
  const w = Number(width)
  const h = Number(height)
  return w > 0 && h > 0 ? { width: w, height: h } : null
}

/** An object of meta, or what JSON text says of one; null where there is none. */
export function metaOf(value: unknown): SourceRow['meta'] {
  const object = typeof value === 'string' && value.startsWith('{') ? jsonOf(value) : value
  return object && typeof object === 'object' && !Array.isArray(object)
    ? (object as Readonly<Record<string, unknown>>)
    : null
}

function jsonOf(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

/** Text, or null where there is none. */
export const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null
