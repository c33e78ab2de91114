import type { Random } from '../../base/random.js'
import { type EncodedPrompt, tokensOf } from '../../model/encode-prompt.js'
import type { Tokenizer } from '../../model/word-piece.js'
import type { Span } from '../../words/name-prompt.js'

/**
 * Hides words behind [MASK], as BERT's pre-training does, so that the network learns to find a thing whose
 * name it does not know by the rest of the phrase.
 *
 * @param share probability of each word; nothing is drawn where it is 0
 */
export function maskWords(
  prompt: EncodedPrompt,
  tokenizer: Tokenizer,
  share: number,
  draw: Random,
): EncodedPrompt {
  if (share === 0) return prompt
  const ids = prompt.ids.slice()
  let hidden = false
  let before: number | undefined
  prompt.pieces.forEach(({ start, end }, index) => {
    // [CLS] and [SEP], which are of no word.
    if (end === 0) return
    const follows = before === start
    before = end
    // Pieces of one word are hidden together.
    if (!follows) hidden = draw.next() < share
    if (hidden) ids[index] = BigInt(tokenizer.mask)
  })
  return { ...prompt, ids }
}

/** Hides all words of these spans. */
export function maskSpans(
  prompt: EncodedPrompt,
  { mask }: Pick<Tokenizer, 'mask'>,
  spans: readonly Span[],
): EncodedPrompt {
  if (spans.length === 0) return prompt
  const ids = prompt.ids.slice()
  for (const span of spans) for (const token of tokensOf(prompt, span)) ids[token] = BigInt(mask)
  return { ...prompt, ids }
}
