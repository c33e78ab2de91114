import { plainText } from '../words/plain-text.js'
import { type Attribute, attributes } from './attributes.js'
import { expressionEnd } from './expression.js'
import { type LeftOut, leftOut } from './left-out.js'
import { lemma } from './lexicon/lemma.js'
import { type Token, tokenize } from './lexicon/tokenize.js'
import { phraseEnds } from './phrase-ends.js'
import { type Quantity, quantity } from './quantity.js'
import { repairTags } from './tags/repair-tags.js'
import { tag } from './tags/tag.js'
import { spanOf, wordAt } from './tags/tag-patterns.js'
import { type Visible, visibleAs } from './tags/visibility.js'

export interface Chunk extends Quantity {
  /** As people read it: without the entities and tags that its span may hold. */
  readonly text: string
  /** Span in the caption as it is stored, in code points, half open. */
  readonly start: number
  readonly end: number
  /** End of the referring expression that begins at `start`: the phrase and the tail that belongs to it. */
  readonly expressionEnd: number
  /** Singular of the last noun, lower case. */
  readonly head: string
  readonly attributes: readonly Attribute[]
  /** What of it can be seen, or another reason to ask for it; undefined where it is left out. */
  readonly kept: Visible | 'category' | 'ngram' | undefined
  /** Why it is not worth grounding, where it is not. */
  readonly leftOut: LeftOut | undefined
}

/**
 * Noun phrases of a caption, in its order, without overlap (see `phraseEnds`). Takes time in proportion to
 * the caption's length, whatever is in it.
 *
 * @param words the caption's tokens, where they are known
 */
export function chunk(caption: string, words: readonly Token[] = tokenize(caption)): Chunk[] {
  const tokens = repairTags(tag(words))
  const cut = cutter(caption)
  const ends = phraseEnds(tokens)
  return [...ends].map(([first, behind]) => {
    const { start, end } = spanOf(tokens, first, behind)
    const why = leftOut(tokens, first, behind)
    return {
      text: plainText(cut(start, end)),
      start,
      end,
      expressionEnd: spanOf(tokens, first, expressionEnd(tokens, first, behind, ends)).end,
      head: lemma(wordAt(tokens, behind - 1)),
      attributes: attributes(tokens, first, behind),
      ...quantity(tokens, first, behind),
      kept: why === undefined ? (visibleAs(tokens, first, behind) ?? 'unknown') : undefined,
      leftOut: why,
    }
  })
}

/** Cuts a text by code points; most captions have one UTF-16 unit for each. */
function cutter(text: string): (start: number, end: number) => string {
  if (!/[\ud800-\udfff]/.test(text)) return (start, end) => text.slice(start, end)
  const points = [...text]
  return (start, end) => points.slice(start, end).join('')
}
