import type { PictureMetric } from '../src/evaluate/compare/picture-metric.js'
import type { Span } from './read-annotation.js'

/** What was found in a caption, and what somebody marked in it. */
export interface SpanPair {
  readonly found: readonly Span[]
  readonly true: readonly Span[]
}

export interface SpanScores {
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

interface Tally {
  readonly hits: number
  readonly found: number
  readonly expected: number
}

/**
 * Precision, recall and F1 of exact spans, over all captions together (as CoNLL-2000 scores chunks; Tjong Kim
 * Sang and Buchholz 2000), in 0 to 1.
 */
export function spanScores(pairs: readonly SpanPair[]): SpanScores {
  const { hits, found, expected } = sum(pairs.map(tally), () => 1)
  return {
    precision: found === 0 ? 0 : hits / found,
    recall: expected === 0 ? 0 : hits / expected,
    f1: found + expected === 0 ? 0 : (2 * hits) / (found + expected),
  }
}

/** F1 as a metric over any multiset of the captions, for a bootstrap that draws captions. */
export function f1Metric(pairs: readonly SpanPair[]): PictureMetric {
  const tallies = pairs.map(tally)
  return {
    over: (counts) => {
      const { hits, found, expected } = sum(tallies, (caption) => counts[caption]!)
      return found + expected === 0 ? 0 : (2 * hits) / (found + expected)
    },
    seen: tallies.map(({ hits, found, expected }) => `${hits} ${found} ${expected}`),
  }
}

/** The marked spans that were not found, and the found ones that are not marked. */
export function spanErrors({ found, true: marked }: SpanPair): { missed: Span[]; wrong: Span[] } {
  const has = (spans: readonly Span[]) => {
    const names = new Set(spans.map(nameOf))
    return (span: Span) => names.has(nameOf(span))
  }
  const [isFound, isMarked] = [has(found), has(marked)]
  return {
    missed: marked.filter((span) => !isFound(span)),
    wrong: found.filter((span) => !isMarked(span)),
  }
}

function tally(pair: SpanPair): Tally {
  const wanted = new Set(pair.true.map(nameOf))
  const hits = new Set(pair.found.map(nameOf).filter((name) => wanted.has(name))).size
  return { hits, found: pair.found.length, expected: pair.true.length }
}

function sum(tallies: readonly Tally[], times: (caption: number) => number): Tally {
  let [hits, found, expected] = [0, 0, 0]
  tallies.forEach((one, caption) => {
    const count = times(caption)
    hits += one.hits * count
    found += one.found * count
    expected += one.expected * count
  })
  return { hits, found, expected }
}

const nameOf = ({ start, end }: Span) => `${start}-${end}`
