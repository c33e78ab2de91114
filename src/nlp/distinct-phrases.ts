import type { Phrase } from '../shards/rows.js'

export interface DistinctPhrase {
  /** Lower case, single spaces. */
  readonly text: string
  /** Indices of every phrase that says so. */
  readonly occurrences: readonly number[]
}

/** Phrases that say the same, once each, keeping every occurrence. */
export function distinctPhrases(phrases: readonly Phrase[]): DistinctPhrase[] {
  const groups = new Map<string, number[]>()
  phrases.forEach(({ text }, index) => {
    const key = text.toLowerCase().replace(/\s+/g, ' ')
    groups.set(key, [...(groups.get(key) ?? []), index])
  })
  return [...groups].map(([text, occurrences]) => ({ text, occurrences }))
}
