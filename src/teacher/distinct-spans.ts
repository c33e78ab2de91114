import type { Phrase } from '../rows/rows.js'

/** The spans of one caption's phrases, each once, and the phrases that have each. */
export function distinctSpans(phrases: readonly Phrase[], caption: number) {
  const spans: (readonly [number, number])[] = []
  const occurrences: number[][] = []
  const known = new Map<string, number>()
  phrases.forEach((phrase, index) => {
    if (phrase.caption !== caption) return
    const key = `${phrase.start}/${phrase.end}`
    const at = known.get(key)
    if (at !== undefined) {
      occurrences[at].push(index)
      return
    }
    known.set(key, spans.length)
    spans.push([phrase.start, phrase.end])
    occurrences.push([index])
  })
  return { spans, occurrences }
}
