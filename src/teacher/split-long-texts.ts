import type { Span } from '../words/name-prompt.js'
import type { DetectOptions, PhraseDetection, Query, Teacher } from './teacher.js'

/**
 * A teacher that is asked about texts of any length: one with more tokens than the model has room for is
 * asked in parts, each with as much of the text as fits around its phrases. No phrase is cut, unless it is
 * too long by itself.
 */
export function splitLongTexts(teacher: Teacher): Teacher {
  if (!Number.isFinite(teacher.maxTokens)) return teacher
  return {
    ...teacher,
    async detect(queries: readonly Query[], options: DetectOptions) {
      const parts = queries.flatMap((query, index) =>
        partsOf(query, teacher).map((part) => ({ ...part, index })),
      )
      const answers = await teacher.detect(
        parts.map(({ query }) => query),
        options,
      )
      const found: PhraseDetection[][] = queries.map(() => [])
      for (const [part, { index, phrases }] of parts.entries())
        for (const box of answers[part]!) found[index]!.push({ ...box, phrase: phrases[box.phrase]! })
      for (const boxes of found) boxes.sort((a, b) => b.score - a.score)
      return found
    },
  }
}

interface Part {
  readonly query: Query
  /** For each phrase of the part its index in the whole query. */
  readonly phrases: readonly number[]
}

/** The parts in which a query is asked: one, where it fits. */
export function partsOf(
  query: Query,
  { tokensOf, maxTokens }: Pick<Teacher, 'tokensOf' | 'maxTokens'>,
): Part[] {
  if (tokensOf(query.text) <= maxTokens) return [{ query, phrases: query.phrases.map((_, index) => index) }]
  const points = [...query.text]
  const size = ([start, end]: Span) => tokensOf(points.slice(start, end).join(''))
  const order = [...query.phrases.entries()].sort(([, [a]], [, [b]]) => a - b)
  const parts: { span: Span; phrases: (readonly [index: number, span: Span])[] }[] = []
  for (const phrase of order) {
    const [, span] = phrase
    const part = parts.at(-1)
    const joined = part && ([part.span[0], Math.max(part.span[1], span[1])] as const)
    if (joined && size(joined) <= maxTokens) {
      part.span = joined
      part.phrases.push(phrase)
    } else parts.push({ span, phrases: [phrase] })
  }
  const words = wordEdges(points)
  return parts.map(({ span, phrases }) => {
    const [from, to] = widen(span, words, (wider) => size(wider) <= maxTokens)
    return {
      query: {
        picture: query.picture,
        text: points.slice(from, to).join(''),
        phrases: phrases.map(([, [start, end]]) => [start - from, end - from] as const),
      },
      phrases: phrases.map(([index]) => index),
    }
  })
}

/** Starts and ends of the text's words, in order. */
function wordEdges(points: readonly string[]): { readonly starts: number[]; readonly ends: number[] } {
  // The ends of the text count as white space.
  const isSpace = (at: number) => /^$|\s/u.test(points[at] ?? '')
  const at = Array.from(points.keys())
  return {
    starts: at.filter((index) => !isSpace(index) && isSpace(index - 1)),
    ends: at.filter((index) => !isSpace(index) && isSpace(index + 1)).map((index) => index + 1),
  }
}

/** Adds words at both ends in turn while there is room for them. */
function widen(
  [from, to]: Span,
  { starts, ends }: ReturnType<typeof wordEdges>,
  fits: (span: Span) => boolean,
): Span {
  const before = starts.filter((start) => start < from).reverse()
  const after = ends.filter((end) => end > to)
  let span: Span = [from, to]
  for (let step = 0; step < Math.max(before.length, after.length); step++) {
    const left: Span = [before[step] ?? span[0], span[1]]
    const hasLeft = fits(left)
    if (hasLeft) span = left
    const right: Span = [span[0], after[step] ?? span[1]]
    const hasRight = fits(right)
    if (hasRight) span = right
    if (!hasLeft && !hasRight) break
  }
  return span
}
