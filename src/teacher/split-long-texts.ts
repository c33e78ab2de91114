import type { Span } from '../words/name-prompt.js'
import type { DetectOptions, Found, Query, Teacher } from './teacher.js'

/**
 * A teacher that is asked about texts of any length: one with more tokens than the model has room for is asked in parts,
 * each with as much of the text as fits around its phrases. No phrase is cut, unless it is too long by itself.
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
      const found: Found[][] = queries.map(() => [])
      parts.forEach(({ index, phrases }, part) => {
        for (const box of answers[part]) found[index].push({ ...box, phrase: phrases[box.phrase] })
      })
      for (const boxes of found) boxes.sort((a, b) => b.score - a.score)
      return found
    },
  }
}

interface Part {
  readonly query: Query
  /** Which phrases of the whole query these are. */
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
  const order = query.phrases
    .map((_, index) => index)
    .sort((a, b) => query.phrases[a][0] - query.phrases[b][0])
  const parts: { span: Span; phrases: number[] }[] = []
  for (const index of order) {
    const [start, end] = query.phrases[index]
    const part = parts[parts.length - 1]
    const joined = part && ([part.span[0], Math.max(part.span[1], end)] as const)
    if (joined && size(joined) <= maxTokens) {
      part.span = joined
      part.phrases.push(index)
    } else parts.push({ span: [start, end], phrases: [index] })
  }
  const words = wordEdges(points)
  return parts.map(({ span, phrases }) => {
    const [from, to] = widen(span, words, (wider) => size(wider) <= maxTokens)
    return {
      query: {
        picture: query.picture,
        text: points.slice(from, to).join(''),
        phrases: phrases.map(
          (index) => [query.phrases[index][0] - from, query.phrases[index][1] - from] as const,
        ),
      },
      phrases,
    }
  })
}

/** Starts and ends of the text's words, in order. */
function wordEdges(points: readonly string[]): { readonly starts: number[]; readonly ends: number[] } {
  const isSpace = (at: number) => at < 0 || at >= points.length || /\s/u.test(points[at])
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
