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
  /** Empty where the source names the box by its spans alone. */
  readonly category: string
  /** Place of the category in the source's own list: the order of names in a prompt. */
  readonly order: number
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
  /** Boxes and captions of the picture that the source left out, by reason. */
  readonly dropped: Readonly<Record<string, number>>
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
  dropped: {},
  size: null,
  license: null,
  meta: null,
  problem: null,
}

/** A row with everything that is not given absent. */
export function sourceRow(row: Partial<SourceRow> & Pick<SourceRow, 'mark' | 'place'>): SourceRow {
  return { ...blank, ...row }
}

/** A row that cannot be read. */
export function problemRow(mark: Mark, place: string, problem: string): SourceRow {
  return sourceRow({ mark, place, problem: { reason: 'malformed_row', detail: `${place}: ${problem}` } })
}

/** A row of url and caption, or a reject where one of them is not there. */
export function pairRow(mark: Mark, place: string, url: unknown, caption: unknown): SourceRow {
  if (typeof url !== 'string' || url.trim() === '') return problemRow(mark, place, 'no url')
  if (typeof caption !== 'string' || caption.trim() === '') {
    const problem = { reason: 'empty_caption', detail: `${place}: no caption` }
    return sourceRow({ mark, place, url, problem })
  }
  return sourceRow({ mark, place, url, captions: [{ text: caption, kind: 'web' }] })
}
