/** Two other noun-phrase finders of npm, with their spans in code points. */
import nlp from 'compromise'
import model from 'wink-eng-lite-web-model'
import winkNLP from 'wink-nlp'
import type { Span } from './read-annotation.js'

/**
 * compromise's `nouns()`, its own notion of a noun phrase; the punctuation that it keeps at the ends is cut
 * off.
 */
export function compromiseNouns(caption: string): Span[] {
  const found = nlp(caption).nouns().json({ offset: true, text: true }) as {
    readonly text: string
    readonly offset: { readonly start: number; readonly length: number }
  }[]
  return found.flatMap(({ offset }) => {
    const raw = caption.slice(offset.start, offset.start + offset.length)
    const text = raw.replace(/[\s.,;:!?-]+$/, '')
    const lead = /^\s*/.exec(raw)?.[0].length ?? 0
    if (text.length <= lead) return []
    const start = points(caption, offset.start + lead)
    return [{ start, end: start + points(text.slice(lead), text.length) }]
  })
}

const wink = winkNLP(model, ['sbd', 'pos'])

/**
 * wink-nlp has tags but no chunks: the same grammar as GLIP's in its universal tags, a determiner, adjectives
 * and nouns, with numbers and possessives beside the determiner, which favours it.
 */
export function winkGrammar(caption: string): Span[] {
  const { its } = wink
  const doc = wink.readDoc(caption)
  const tags = doc.tokens().out(its.pos) as string[]
  const texts = doc.tokens().out(its.value) as string[]
  const places: Span[] = []
  let unit = 0
  for (const text of texts) {
    const at = caption.indexOf(text, unit)
    places.push({ start: points(caption, at), end: points(caption, at + text.length) })
    unit = at + text.length
  }
  const spans: Span[] = []
  for (let at = 0; at < tags.length; ) {
    let end = at
    while (/^(?:DET|NUM)$/.test(tags[end]!) || /^(?:his|her|its|their|my|your|our)$/i.test(texts[end]!)) end++
    while (tags[end] === 'ADJ') end++
    const nouns = end
    while (/^(?:NOUN|PROPN)$/.test(tags[end]!)) end++
    if (end > nouns) spans.push({ start: places[at]!.start, end: places[end - 1]!.end })
    at = end > nouns ? end : at + 1
  }
  return spans
}

const points = (text: string, units: number) => [...text.slice(0, units)].length
