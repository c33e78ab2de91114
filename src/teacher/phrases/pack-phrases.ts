import type { EncodedPrompt } from '../../model/encode-prompt.js'
import type { Span } from '../../words/name-prompt.js'

/** Phrases as one text. */
export interface PhrasePrompt {
  readonly encoded: EncodedPrompt
  /** Where each phrase is in it, code points. */
  readonly spans: readonly Span[]
}

/**
 * Phrases in packs that fit a prompt "a cat. a remote.", in their order. A phrase that is too long by itself
 * has a pack of its own.
 *
 * @param tokensOf tokens of a text, special ones included
 * @param maxTokens tokens of a pack's prompt
 * @param maxPhrases phrases of a pack
 */
export function packPhrases(
  phrases: readonly string[],
  tokensOf: (text: string) => number,
  maxTokens: number,
  maxPhrases: number,
): string[][] {
  // The tokens of a phrase do not depend on its neighbours, so that lengths add up.
  const empty = tokensOf('')
  const packs: string[][] = []
  let used = 0
  for (const phrase of phrases) {
    const added = tokensOf(`${phrase}.`) - empty
    const pack = packs.at(-1)
    if (pack && pack.length < maxPhrases && used + added <= maxTokens) {
      pack.push(phrase)
      used += added
    } else {
      packs.push([phrase])
      used = empty + added
    }
  }
  return packs
}
