import type { Phrase } from '../rows/rows.js'

export interface DistinctPhrase {
  /** Lower case, composed, single spaces. */
  readonly text: string
  /** Indices of all phrases with this text. */
  readonly occurrences: readonly number[]
}

/** Phrases grouped by their normalised text, in the order of their first occurrence. */
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
