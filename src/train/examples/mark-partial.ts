import { isSameNoun } from '../../words/label-matches.js'
import type { Sample } from '../samples/sample.js'
import type { GroundedText, PromptPhrase } from './grounded-text.js'
import { headOf } from './picture-truth.js'

/** Marks the phrases of a noun of which the picture may hold more than is boxed. */
export function markPartial(written: GroundedText, { partial }: Pick<Sample, 'partial'>): GroundedText {
  if (partial.length === 0) return written
  const nouns = partial.map(headOf)
  const points = [...written.text]
  const phrases = written.phrases.map((phrase): PromptPhrase => {
    const noun = headOf(points.slice(...(phrase.name ?? phrase.span)).join(''))
    return nouns.some((other) => isSameNoun(noun, other)) ? { ...phrase, partial: true } : phrase
  })
  return { ...written, phrases }
}
