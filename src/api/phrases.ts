/**
 * Noun phrases of captions: what a teacher is asked for.
 *
 * @example
 * ```ts
 * import { captionPhrases, chunkConfig } from 'groundmill/phrases'
 *
 * const text = 'Two red dolphins beside a small owl on a Sunday'
 * const { kept, leftOut } = captionPhrases({ text, kind: 'web' }, chunkConfig.parse({}))
 * console.log(kept.map(({ text, head, count }) => ({ text, head, count })))
 * console.log(leftOut.map(({ text, leftOut }) => `${text}: ${leftOut}`))
 * ```
 *
 * @module groundmill/phrases
 */
export type { Attribute } from '../nlp/attributes.js'
export { type CaptionPhrases, captionPhrases, type LeftOutChunk } from '../nlp/caption-phrases.js'
export { type Chunk, chunk } from '../nlp/chunk.js'
export { type ChunkConfig, chunkConfig } from '../nlp/config.js'
export type { LeftOut } from '../nlp/left-out.js'
export type { Token } from '../nlp/lexicon/tokenize.js'
export type { NounFile } from '../nlp/lexicon/wordnet.js'
export type { Quantity } from '../nlp/quantity.js'
export type { Visible } from '../nlp/tags/visibility.js'
export type { Caption, CaptionKind } from '../rows/rows.js'
