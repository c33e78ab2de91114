import type { Span } from '../words/name-prompt.js'
import type { Tokenizer, WordPiece } from './word-piece.js'

/** A text as the network reads it: tokens, padded to a fixed length. */
export interface EncodedPrompt {
  readonly pieces: readonly WordPiece[]
  /** [L] */
  readonly ids: BigInt64Array
  /** [L], 1 for tokens and 0 for padding. */
  readonly mask: Float32Array
}

/** Encodes a text into `length` tokens; what does not fit is cut before the closing [SEP]. */
export function encodePrompt(text: string, tokenizer: Tokenizer, length: number): EncodedPrompt {
  const all = tokenizer.encode(text)
  const pieces = all.length > length ? [...all.slice(0, length - 1), ...all.slice(-1)] : all
  const ids = new BigInt64Array(length).fill(BigInt(tokenizer.pad))
  const mask = new Float32Array(length)
  pieces.forEach(({ id }, index) => {
    ids[index] = BigInt(id)
    mask[index] = 1
  })
  return { pieces, ids, mask }
}

/** Indices of the tokens that a span of the text touches; none where the span was cut off. */
export function tokensOf(prompt: EncodedPrompt, [start, end]: Span): number[] {
  return prompt.pieces.flatMap((piece, index) => (piece.start < end && piece.end > start ? [index] : []))
}
