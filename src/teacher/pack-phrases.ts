import type { EncodedPrompt } from '../model/encode-prompt.js'
import type { Span } from '../words/name-prompt.js'

/** Phrases as one text. */
export interface PhrasePrompt {
  readonly encoded: EncodedPrompt
  /** Where each phrase is in it, code points. */
  readonly spans: readonly Span[]
}

/**
 * Phrases in packs that fit a prompt "a cat. a remote.": as many as `room` tokens and `most` allow, in their
 * order. One that is too long alone has a pack of its own.
 *
 * @param tokensOf tokens of a text, special ones included
 */
export function packPhrases(
  phrases: readonly string[],
  tokensOf: (text: string) => number,
  room: number,
  most: number,
): string[][] {
  // Pieces of a phrase do not depend on what stands beside it, so that lengths add up.
  const empty = tokensOf('')
  const packs: string[][] = []
  let used = 0
  for (const phrase of phrases) {
    const own = tokensOf(`${phrase}.`) - empty
    const pack = packs[packs.length - 1]
    if (pack && pack.length < most && used + own <= room) {
      pack.push(phrase)
      used += own
    } else {
      packs.push([phrase])
      used = empty + own
    }
  }
  return packs
}
