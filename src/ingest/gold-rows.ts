import type { Caption, Phrase, Region, Xyxy } from '../shards/rows.js'
import type { GoldRegion } from './source-row.js'

export interface GoldRows {
  readonly captions: readonly Caption[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Region[]
  /** What was left out, by reason: `degenerate_box` (outside the picture or under a pixel), `bad_span`. */
  readonly dropped: Readonly<Record<string, number>>
}

type Span = readonly [number, number]

/**
 * Phrases and regions of gold boxes. Boxes with spans name phrases of the first caption; all boxes name their
 * category in one more caption, of kind `categories`: the distinct names in the source's order joined by '. ', as GLIP
 * makes grounding of detection.
 *
 * @param scale pixels of the stored picture for one of the boxes'
 * @param offset where the corner of the boxes' picture lies in the stored one
 */
export function goldRows(
  captions: readonly Caption[],
  boxes: readonly GoldRegion[],
  scale: number,
  width: number,
  height: number,
  offset: readonly [number, number] = [0, 0],
): GoldRows {
  const dropped: Record<string, number> = {}
  const drop = (reason: string) => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  const kept = boxes.flatMap((box) => {
    const xyxy = clipBox(box.xyxy, scale, offset, width, height)
    if (!xyxy) drop('degenerate_box')
    return xyxy ? [{ ...box, xyxy }] : []
  })
  const prompt = categoryPrompt(kept)
  const points = [...(captions[0]?.text ?? '')]

  const phrases: Phrase[] = []
  const regions: Region[] = []
  const known = new Map<string, number>()
  const add = (caption: number, text: string, [start, end]: Span, xyxy: Xyxy) => {
    const key = `${caption}/${start}/${end}`
    let phrase = known.get(key)
    if (phrase === undefined) {
      phrase = phrases.push({ caption, text, start, end, head: headOf(text) }) - 1
      known.set(key, phrase)
    }
    regions.push({ caption, phrase, start, end, xyxy, score: 1, origin: 'gold' })
  }
  for (const { xyxy, spans, category } of kept) {
    const sound = spans.filter((span) => isSound(span, points))
    for (let bad = sound.length; bad < spans.length; bad++) drop('bad_span')
    for (const span of joinSpans(sound, points)) add(0, points.slice(...span).join(''), span, xyxy)
    const span = prompt.spans.get(category)
    if (span) add(captions.length, category, span, xyxy)
  }
  const named: Caption[] = prompt.text ? [{ text: prompt.text, kind: 'categories' }] : []
  return { captions: [...captions, ...named], phrases, regions, dropped }
}

/** The names of the boxes joined by '. ', and the span of each. */
function categoryPrompt(boxes: readonly GoldRegion[]) {
  const named = boxes.filter(({ category }) => category !== '').sort((a, b) => a.order - b.order)
  const names = [...new Set(named.map(({ category }) => category))]
  const spans = new Map<string, Span>()
  let start = 0
  for (const name of names) {
    const end = start + [...name].length
    spans.set(name, [start, end])
    start = end + 2
  }
  return { text: names.join('. '), spans }
}

/** The last word, lower case. */
const headOf = (text: string) => text.toLowerCase().trim().split(/\s+/).at(-1) ?? ''

/** Within the caption, and not over white space alone. */
const isSound = ([start, end]: Span, points: readonly string[]) =>
  start >= 0 && end <= points.length && points.slice(start, end).some((point) => point.trim() !== '')

/** Spans of one box with only white space between them are one phrase; MDETR often gives one a word. */
function joinSpans(spans: readonly Span[], points: readonly string[]): readonly Span[] {
  const joined: [number, number][] = []
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1)
    if (last && points.slice(last[1], start).every((point) => point.trim() === ''))
      last[1] = Math.max(last[1], end)
    else joined.push([start, end])
  }
  return joined
}

function clipBox(
  [x1, y1, x2, y2]: Xyxy,
  scale: number,
  [left, top]: readonly [number, number],
  width: number,
  height: number,
): Xyxy | undefined {
  const clipped = [
    Math.max(0, x1 * scale + left),
    Math.max(0, y1 * scale + top),
    Math.min(width, x2 * scale + left),
    Math.min(height, y2 * scale + top),
  ] as const
  return clipped[2] - clipped[0] >= 1 && clipped[3] - clipped[1] >= 1 ? clipped : undefined
}
