import type { Xyxy } from '../../boxes/xyxy.js'
import type { Mark } from '../../formats/mark.js'
import type { FileProblem } from '../../formats/problem-list.js'
import type { Caption } from '../../rows/rows.js'

/** A named box of gold data. */
export interface GoldRegion {
  /** Empty where the source names the box by its spans alone. */
  readonly category: string
  /** Place of the category in the source's own list: the order of names in a prompt. */
  readonly order: number
  /** Pixels of the source's picture, or shares of its sides (`boxUnit`). */
  readonly xyxy: Xyxy
  /** Spans in its caption, code points; none where the box is only named by its category. */
  readonly spans: readonly (readonly [number, number])[]
  /** The caption that the spans are in; the first where none is given. */
  readonly caption?: number
  /** Head noun of what the spans cover, where the source says it; else it is the last word. */
  readonly head?: string
  /** In 0 to 1, with the name of the model that gave it; boxes without are gold. */
  readonly found?: { readonly score: number; readonly by: string }
  /** What the source calls the thing's area, in the unit of the boxes, squared; else it is the box's own. */
  readonly area?: number
}

/** A box that evaluation neither asks for nor counts as wrong. */
export interface IgnoredBox extends Pick<GoldRegion, 'category' | 'xyxy' | 'area'> {
  /** A crowd, in which any number of boxes may lie; else one thing. */
  readonly crowd: boolean
}

export interface SourceRow {
  readonly mark: Mark
  /** For messages: file and line, or file and id. */
  readonly place: string
  /** What to fetch, as the source names it. */
  readonly url: string | null
  /** What to read instead of fetching. */
  readonly file: string | null
  /** Where the file may lie as well, the likeliest first. */
  readonly elsewhere: readonly string[]
  /** The folders that the configuration names: the file is read where it lies in one of them. */
  readonly roots: readonly string[]
  /** Gives the picture's bytes, where the source itself holds them: read when they are wanted, not before. */
  readonly load: (() => Promise<Uint8Array>) | null
  readonly captions: readonly Caption[]
  /** Present, though perhaps empty, where the source has boxes. */
  readonly regions: readonly GoldRegion[] | null
  /** Boxes that are none of the regions; what is not named is left out. */
  readonly ignored: readonly IgnoredBox[]
  readonly boxUnit: 'pixel' | 'share'
  /** Categories that are known not to be in the picture, to be drawn into prompts. */
  readonly absent: readonly string[]
  /** Whether everything in the picture that one of the source's category names names has a box. */
  readonly exhaustive: boolean
  /** Phrases of which the source itself says that they name nothing in the picture. */
  readonly negatives: readonly string[]
  /** Category names of which there may be more in the picture than has a box. */
  readonly partial: readonly string[]
  /** Boxes and captions of the picture that the source left out, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Size of the picture that the boxes are in, where the source gives it. */
  readonly size: { readonly width: number; readonly height: number } | null
  readonly license: string | null
  readonly meta: Readonly<Record<string, unknown>> | null
  /** Why the row cannot be used, where it cannot. */
  readonly problem: { readonly reason: string; readonly detail: string } | null
  /**
   * What rows of pairs have in common that are of one picture: its address, its file or its id. Null where nothing
   * tells.
   */
  readonly pictureName: string | null
  /** Rows of the source that it was made of. */
  readonly pairs: number
}

const none: readonly never[] = []
const nothing = {}

/** A row with everything that is not given absent. */
export function sourceRow(row: Partial<SourceRow> & Pick<SourceRow, 'mark' | 'place'>): SourceRow {
  // Set one by one in an object of all names: V8 gives each object that is spread of two a layout of its own, and whatever
  // reads rows would look their names up anew.
  const blank: SourceRow = {
    url: null,
    file: null,
    elsewhere: none,
    roots: none,
    load: null,
    captions: none,
    regions: null,
    ignored: none,
    boxUnit: 'pixel',
    absent: none,
    exhaustive: false,
    negatives: none,
    partial: none,
    dropped: nothing,
    size: null,
    license: null,
    meta: null,
    problem: null,
    pictureName: null,
    pairs: 1,
    mark: row.mark,
    place: row.place,
  }
  return Object.assign(blank, row)
}

/** Whether nothing of a row is fetched: its picture lies here, or it cannot be read. */
export const isLocal = ({ load, file, problem }: SourceRow): boolean =>
  load !== null || file !== null || problem !== null

/** A row that cannot be read. */
export function problemRow(mark: Mark, place: string, problem: string): SourceRow {
  return sourceRow({ mark, place, problem: { reason: 'malformed_row', detail: `${place}: ${problem}` } })
}

/** A row of entries of a file that cannot be used. */
export function fileProblemRow(mark: Mark, { place, reason, problem, lost }: FileProblem): SourceRow {
  return sourceRow({
    mark,
    place,
    problem: { reason, detail: `${place}: ${problem}` },
    dropped: lost > 0 ? { [reason]: lost } : {},
  })
}

/** A row of url and caption, or a reject where one of them is not there. A caption may be a list of them. */
export function pairRow(
  mark: Mark,
  place: string,
  url: unknown,
  caption: unknown,
  more: Pick<Partial<SourceRow>, 'license' | 'meta' | 'pictureName'> = {},
): SourceRow {
  if (typeof url !== 'string' || url.trim() === '') return problemRow(mark, place, 'no url')
  return captionedRow(mark, place, caption, { pictureName: url, ...more, url })
}

/** A caption, as a text or beside other words of it, as exports of form hf have it: `{ text, kind }`. */
const captionIn = (value: unknown): unknown =>
  value !== null && typeof value === 'object' && !(value instanceof Uint8Array) && 'text' in value
    ? value.text
    : value

/** A row with the captions of a text or of a list of texts, or a reject where all are blank. */
export function captionedRow(
  mark: Mark,
  place: string,
  caption: unknown,
  more: Partial<SourceRow>,
): SourceRow {
  const given: readonly unknown[] = Array.isArray(caption) ? caption : [caption]
  const values = given.map(captionIn)
  if (values.some((value) => value instanceof Uint8Array))
    return { ...problemRow(mark, place, 'its caption is not UTF-8'), ...more }
  const texts = values.filter((text): text is string => typeof text === 'string' && text.trim() !== '')
  const problem = { reason: 'empty_caption', detail: `${place}: no caption` }
  if (texts.length === 0) return sourceRow({ ...more, mark, place, problem })
  return sourceRow({ ...more, mark, place, captions: texts.map((text) => ({ text, kind: 'web' })) })
}
