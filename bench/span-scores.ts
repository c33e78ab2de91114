import type { Span } from './read-annotation.js'

export interface SpanScores {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/**
 * Precision, recall and F1 of exact spans, over all captions together (as CoNLL-2000 scores chunks; Tjong Kim
 * Sang and Buchholz 2000), in 0 to 1.
 */
export function spanScores(
  pairs: readonly { readonly found: readonly Span[]; readonly true: readonly Span[] }[],
): SpanScores {
  let [hits, found, expected] = [0, 0, 0]
  for (const pair of pairs) {
    const wanted = new Set(pair.true.map(nameOf))
    hits += new Set(pair.found.map(nameOf).filter((name) => wanted.has(name))).size
    found += pair.found.length
    expected += pair.true.length
  }
  return {
    precision: found === 0 ? 0 : hits / found,
    recall: expected === 0 ? 0 : hits / expected,
    f1: found + expected === 0 ? 0 : (2 * hits) / (found + expected),
  }
}

const nameOf = ({ start, end }: Span) => `${start}-${end}`
