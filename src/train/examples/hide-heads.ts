import type { Random } from '../../base/random.js'
import { attributeValues } from '../../words/attribute-values.js'
import type { Span } from '../../words/name-prompt.js'
import type { GroundedText, PromptPhrase } from './grounded-text.js'
import { mayName, type PictureTruth } from './picture-truth.js'

/**
 * Hides the noun of phrases with an attribute behind [MASK], so that the network learns to find a thing of
 * unknown name by the rest of the phrase. "red [MASK]" may be true of other red things too: it does not count
 * for boxes of which no colour is known, and for those of which it is, it is a negative only where it differs.
 *
 * @param share probability of each phrase
 */
export function hideHeads(
  written: GroundedText,
  { things }: PictureTruth,
  share: number,
  draw: Random,
): GroundedText {
  const points = [...written.text]
  const phrases = written.phrases.map((phrase): PromptPhrase => {
    const [start, end] = phrase.name ?? phrase.span
    const text = points.slice(start, end).join('')
    const head = headSpan(text)
    // Words that may be true of boxes, and of which nobody knows whether they are, are no phrase.
    const isPart = phrase.boxes.length === 0 && phrase.unsure !== undefined
    if (!head || isPart || draw.next() >= share) return phrase
    return {
      ...phrase,
      unsure: things.filter((thing) => mayName(text, thing, true)).map(({ box }) => box),
      hidden: [start + head[0], start + head[1]],
    }
  })
  return { ...written, phrases }
}

/** The last word of a phrase with an attribute, in code points; undefined where it gives none, or is one. */
function headSpan(phrase: string): Span | undefined {
  const values = attributeValues(phrase).filter(({ kind }) => kind !== 'number')
  const match = /\p{L}[\p{L}\p{N}'-]*\s*$/u.exec(phrase)
  if (!match || values.length === 0) return undefined
  const start = [...phrase.slice(0, match.index)].length
  const end = start + [...match[0].trimEnd()].length
  return values.some(({ span }) => span[1] > start) ? undefined : [start, end]
}
