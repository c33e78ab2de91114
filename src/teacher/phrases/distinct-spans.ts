import type { Phrase } from '../../rows/rows.js'
import { type AskedPart, askedSpan } from '../../words/asked-span.js'
import type { Span } from '../../words/name-prompt.js'

/**
 * The spans of one caption's phrases, each once, and for each span the indices of the phrases that have it.
 *
 * @param part which words stand for a phrase
 */
export function distinctSpans(phrases: readonly Phrase[], caption: number, part: AskedPart = 'phrase') {
  const bySpan = new Map<string, { readonly span: Span; readonly phrases: number[] }>()
  for (const [index, phrase] of phrases.entries()) {
    if (phrase.caption !== caption) continue
    const span = askedSpan(phrase, part)
    const key = span.join('/')
    const same = bySpan.get(key)
    if (same) same.phrases.push(index)
    else bySpan.set(key, { span, phrases: [index] })
  }
  const distinct = [...bySpan.values()]
  return {
    spans: distinct.map(({ span }) => span),
    occurrences: distinct.map((each) => each.phrases),
  }
}
