import type { Phrase } from '../rows/rows.js'

export interface DistinctPhrase {
  /** Lower case, composed, single spaces. */
  readonly text: string
  /** Indices of every phrase that says so. */
  readonly occurrences: readonly number[]
}

/** Phrases that say the same, once each in the order they came, keeping every occurrence. */
export function distinctPhrases(phrases: readonly Pick<Phrase, 'text'>[]): DistinctPhrase[] {
  const groups = new Map<string, number[]>()
  phrases.forEach(({ text }, index) => {
    const key = text.normalize('NFC').toLowerCase().trim().replace(/\s+/g, ' ')
    const group = groups.get(key)
    if (group) group.push(index)
    else groups.set(key, [index])
  })
  return [...groups].map(([text, occurrences]) => ({ text, occurrences }))
}
