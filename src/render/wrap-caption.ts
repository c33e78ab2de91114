import { columnsOf } from './text-columns.js'

/** A run of text in one colour; undefined for what belongs to no phrase. */
export interface ColouredText {
  readonly text: string
  readonly colour: string | undefined
}

export interface ColouredSpan {
  /** Code points, half open. */
  readonly start: number
  readonly end: number
  readonly colour: string
}

/** The caption in lines of at most `columns` columns, words whole where they fit, each span in its colour. */
export function wrapCaption(
  text: string,
  spans: readonly ColouredSpan[],
  columns: number,
): readonly (readonly ColouredText[])[] {
  const points = [...text]
  const colours = points.map((_, at) => spans.find(({ start, end }) => at >= start && at < end)?.colour)
  const lines: ColouredText[][] = []
  let start = 0
  while (start < points.length) {
    const end = lineEnd(points, start, columns)
    const line: ColouredText[] = []
    for (let at = start; at < end; ) {
      let stop = at + 1
      while (stop < end && colours[stop] === colours[at]) stop++
      line.push({ text: points.slice(at, stop).join(''), colour: colours[at] })
      at = stop
    }
    lines.push(line)
    start = end
    while (points[start] === ' ') start++
  }
  return lines
}

/** Where the line that begins at `start` ends: at a space where it can, and with one character at least. */
function lineEnd(points: readonly string[], start: number, columns: number): number {
  let end = start
  for (let used = 0; end < points.length; end++) {
    used += columnsOf(points[end]!)
    if (used > columns) break
  }
  if (end === points.length) return end
  for (let space = end; space > start; space--) if (points[space] === ' ') return space
  return Math.max(end, start + 1)
}
