import type { Caption, Phrase, Region, Xyxy } from '../shards/rows.js'
import type { GoldRegion } from './source-row.js'

export interface GoldRows {
  readonly captions: readonly Caption[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Region[]
  /** Boxes that were outside the picture or had no size. */
  readonly droppedBoxes: number
}

/**
 * Phrases and regions of gold boxes. Boxes with spans name phrases of the first caption; all boxes name their
 * category in one more caption, of kind `categories`: the distinct names in order of first box, joined by '. ', as
 * GLIP makes grounding of detection.
 *
 * @param scale pixels of the stored picture for one of the boxes'
 */
export function goldRows(
  captions: readonly Caption[],
  boxes: readonly GoldRegion[],
  scale: number,
  width: number,
  height: number,
): GoldRows {
  const phrases: Phrase[] = []
  const regions: Region[] = []
  const known = new Map<string, number>()
  const phraseAt = (caption: number, text: string, start: number, end: number): number => {
    const key = `${caption}/${start}/${end}`
    const index = known.get(key) ?? phrases.length
    if (index === phrases.length) {
      phrases.push({ caption, text, start, end, head: headOf(text) })
      known.set(key, index)
    }
    return index
  }

  const names = [...new Set(boxes.map(({ category }) => category).filter((name) => name !== ''))]
  const categories = captions.length
  const spans = new Map<string, readonly [number, number]>()
  let length = 0
  for (const name of names) {
    const size = [...name].length
    spans.set(name, [length, length + size])
    length += size + 2
  }

  let droppedBoxes = 0
  for (const box of boxes) {
    const xyxy = clipBox(box.xyxy, scale, width, height)
    if (!xyxy) {
      droppedBoxes++
      continue
    }
    const add = (caption: number, text: string, start: number, end: number) => {
      const phrase = phraseAt(caption, text, start, end)
      regions.push({ caption, phrase, start, end, xyxy, score: 1, origin: 'gold' })
    }
    if (captions.length > 0) {
      const points = [...captions[0].text]
      for (const [start, end] of joinSpans(box.spans, points))
        add(0, points.slice(start, end).join(''), start, end)
    }
    const span = spans.get(box.category)
    if (span) add(categories, box.category, span[0], span[1])
  }
  const prompt: Caption[] = names.length > 0 ? [{ text: names.join('. '), kind: 'categories' }] : []
  return { captions: [...captions, ...prompt], phrases, regions, droppedBoxes }
}

/** The last word, lower case. */
const headOf = (text: string) => text.toLowerCase().split(/\s+/).at(-1) ?? ''

/** Spans of one box with only white space between them are one phrase; MDETR often gives one a word. */
function joinSpans(
  spans: readonly (readonly [number, number])[],
  points: readonly string[],
): (readonly [number, number])[] {
  const joined: [number, number][] = []
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1)
    if (end > points.length || start >= end) continue
    if (last && points.slice(last[1], start).every((point) => point.trim() === ''))
      last[1] = Math.max(last[1], end)
    else joined.push([start, end])
  }
  return joined
}

function clipBox([x1, y1, x2, y2]: Xyxy, scale: number, width: number, height: number): Xyxy | undefined {
  const clipped = [
    Math.max(0, x1 * scale),
    Math.max(0, y1 * scale),
    Math.min(width, x2 * scale),
    Math.min(height, y2 * scale),
  ] as const
  return clipped[2] - clipped[0] >= 1 && clipped[3] - clipped[1] >= 1 ? clipped : undefined
}
