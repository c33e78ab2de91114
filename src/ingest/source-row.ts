import type { Caption, Xyxy } from '../shards/rows.js'

/** Where in its source a row begins, so that a shard can be read without what lies before it. */
export interface Mark {
  /** Byte of a list, or number of a row. */
  readonly at: number
  /** Line of a list, from 1; 0 where there are no lines. */
  readonly line: number
}

/** A named box of gold data. */
export interface GoldRegion {
  readonly category: string
  /** Pixels of the source's picture. */
  readonly xyxy: Xyxy
  /** Spans in the first caption, code points; none where the box is only named by its category. */
  readonly spans: readonly (readonly [number, number])[]
}

export interface SourceRow {
  readonly mark: Mark
  /** For messages: file and line, or file and id. */
  readonly place: string
  /** What to fetch, as the source names it. */
  readonly url: string | null
  /** What to read instead of fetching. */
  readonly file: string | null
  readonly captions: readonly Caption[]
  /** Present, though perhaps empty, where the source has boxes. */
  readonly regions: readonly GoldRegion[] | null
  /** Size of the picture that the boxes are in, where the source gives it. */
  readonly size: { readonly width: number; readonly height: number } | null
  readonly license: string | null
  readonly meta: Readonly<Record<string, unknown>> | null
  /** Why the row cannot be used, where it cannot. */
  readonly problem: { readonly reason: string; readonly detail: string } | null
}

const blank = {
  url: null,
  file: null,
  captions: [],
  regions: null,
  size: null,
  license: null,
  meta: null,
  problem: null,
}

/** A row with everything that is not given absent. */
export function sourceRow(row: Partial<SourceRow> & Pick<SourceRow, 'mark' | 'place'>): SourceRow {
  return { ...blank, ...row }
}

/** A row of url and caption, or a reject where one of them is not there. */
export function pairRow(mark: Mark, place: string, url: unknown, caption: unknown): SourceRow {
  if (typeof url !== 'string' || url.trim() === '') {
    return sourceRow({ mark, place, problem: { reason: 'malformed_row', detail: `${place}: no url` } })
  }
  if (typeof caption !== 'string' || caption.trim() === '') {
    return sourceRow({
      mark,
      place,
      url,
      problem: { reason: 'empty_caption', detail: `${place}: no caption` },
    })
  }
  return sourceRow({ mark, place, url, captions: [{ text: caption, kind: 'web' }] })
}
