/** How many regions of a phrase changed, in each way. */
export interface PhraseChanges {
  readonly lost: number
  readonly added: number
  readonly moved: number
}

/** Counts changes by the words of the phrase, in bounded memory. */
export interface ChangedPhrases {
  add(text: string, way: keyof PhraseChanges): void
  /** Those that changed most, equal ones by the alphabet. */
  top(count: number): [string, PhraseChanges][]
  /**
   * By how much the counts may be too low, those of phrases that are not listed too; 0 while none was
   * forgotten.
   */
  error(): number
}

/**
 * @param limit phrases that are remembered: when there are twice as many, those that changed least are
 * forgotten until `limit` are left, as in lossy counting (Manku and Motwani, "Approximate Frequency Counts
 * over Data Streams", VLDB 2002)
 */
export function changedPhrases(limit = 65_536): ChangedPhrases {
  const phrases = new Map<string, { lost: number; added: number; moved: number }>()
  let error = 0
  const ranked = () =>
    [...phrases].sort((a, b) => changesOf(b[1]) - changesOf(a[1]) || (a[0] < b[0] ? -1 : 1))
  return {
    add(text, way) {
      let counts = phrases.get(text)
      if (!counts) {
        counts = { lost: 0, added: 0, moved: 0 }
        phrases.set(text, counts)
      }
      counts[way]++
      if (phrases.size <= 2 * limit) return
      const forgotten = ranked().slice(limit)
      // What is forgotten now may come again, and be forgotten again: the errors add up.
      const [largest] = forgotten
      if (largest) error += changesOf(largest[1])
      for (const [phrase] of forgotten) phrases.delete(phrase)
    },
    top: (count) => ranked().slice(0, count),
    error: () => error,
  }
}

const changesOf = ({ lost, added, moved }: PhraseChanges) => lost + added + moved
