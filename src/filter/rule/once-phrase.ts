import type { Phrase } from '../../rows/rows.js'

/** What a function says of a phrase, asked once for all boxes of it: a picture has more boxes than phrases. */
export function oncePhrase<T>(of: (phrase: Phrase) => T): (phrase: Phrase) => T {
  const known = new Map<Phrase, T>()
  return (phrase) => {
    if (known.has(phrase)) return known.get(phrase) as T
    const value = of(phrase)
    known.set(phrase, value)
    return value
  }
}
