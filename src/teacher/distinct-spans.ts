import type { Phrase } from '../rows/rows.js'
import type { Span } from '../words/name-prompt.js'

/**
 * The spans of one caption's phrases, each once, and for each span the indices of the phrases that have it.
 */
export function distinctSpans(phrases: readonly Phrase[], caption: number) {
  const bySpan = new Map<string, { readonly span: Span; readonly phrases: number[] }>()
  for (const [index, { caption: phraseCaption, start, end }] of phrases.entries()) {
    if (phraseCaption !== caption) continue
    const key = `${start}/${end}`
    const same = bySpan.get(key)
    if (same) same.phrases.push(index)
    else bySpan.set(key, { span: [start, end], phrases: [index] })
  }
  const distinct = [...bySpan.values()]
  return {
    spans: distinct.map(({ span }) => span),
    occurrences: distinct.map((each) => each.phrases),
  }
}
