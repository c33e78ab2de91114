import type { Phrase } from '../../rows/rows.js'
import { numberOf } from './number-of.js'
import type { Rule } from './rule.js'

/**
 * Holds boxes to the number that a phrase says: "two dogs" wants two boxes. A phrase with fewer loses all of them with
 * `fewer: drop`, since what is missing would be taught as background; one with more keeps its best with `more: best`.
 * Phrases that say no number are left alone, and so are plain singulars ("a dog") unless `singular` is set.
 */
export function number({
  fewer,
  more,
  singular,
}: {
  readonly fewer: 'drop' | 'keep'
  readonly more: 'best' | 'keep'
  readonly singular: boolean
}): Rule {
  return (candidates, { phrases }) => {
    const counts = new Map<number, number>()
    for (const { phrase } of candidates) counts.set(phrase, (counts.get(phrase) ?? 0) + 1)
    const places = new Map<number, number>()
    return candidates.filter(({ phrase }) => {
      const wanted = countOf(phrases[phrase], singular)
      if (wanted === undefined) return true
      if (fewer === 'drop' && (counts.get(phrase) as number) < wanted) return false
      const place = places.get(phrase) ?? 0
      places.set(phrase, place + 1)
      return more === 'keep' || place < wanted
    })
  }
}

/** What the chunker has counted, and for phrases that it did not make what their words say. */
function countOf({ count, text }: Phrase, singular: boolean): number | undefined {
  if (count === undefined || count === null) return numberOf(text, singular)
  return count > 1 || singular ? count : undefined
}
