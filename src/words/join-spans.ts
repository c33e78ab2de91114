import type { Span } from './name-prompt.js'

/** Spans of one thing with only white space between them are one phrase; MDETR often gives one a word. */
export function joinSpans(spans: readonly Span[], points: readonly string[]): readonly Span[] {
  const joined: [number, number][] = []
  for (const [start, end] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1)
    if (last && points.slice(last[1], start).every((point) => point.trim() === ''))
      last[1] = Math.max(last[1], end)
    else joined.push([start, end])
  }
  return joined
}
