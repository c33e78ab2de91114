import type { Span } from './name-prompt.js'
import { withoutDeterminer } from './without-determiner.js'

/**
 * Which words of a caption stand for a phrase:
 *
 * - `phrase`: all of it, "the man";
 * - `expression`: with the tail that tells it from others, "the man in a red coat";
 * - `attributes`: from its first attribute to its end, "small dogs" of "the two small dogs"; without the
 *   determiner where it gives no attribute, "traffic light" of "a traffic light".
 */
export const askedParts = ['phrase', 'expression', 'attributes'] as const

export type AskedPart = (typeof askedParts)[number]

/** A phrase as it is chunked. What is not known of it, as of a phrase of gold, is null or absent. */
interface ChunkedPhrase {
  readonly text: string
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  readonly expression_end?: number | null
  readonly attributes?: readonly { readonly text: string }[] | null
}

/** The words of its caption that stand for a phrase. */
export function askedSpan(phrase: ChunkedPhrase, part: AskedPart): Span {
  const { start, end } = phrase
  switch (part) {
    case 'phrase':
      return [start, end]
    case 'expression':
      return [start, Math.max(end, phrase.expression_end ?? end)]
    case 'attributes':
      return [describedStart(phrase), end]
  }
}

/** Where the first attribute stands, or the first word that is no determiner. */
function describedStart({ text, start, end, attributes }: ChunkedPhrase): number {
  const known = new Set(attributes?.map((attribute) => attribute.text.toLowerCase()))
  const first = [...text.matchAll(/[^\s]+/gu)].find(([word]) => known.has(word.toLowerCase()))
  if (first) return start + [...text.slice(0, first.index)].length
  const rest = [...withoutDeterminer(text)].length
  return rest === 0 ? start : end - rest
}
