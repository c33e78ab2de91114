import type { Caption } from '../shards/rows.js'
import { categoryNames } from './category-names.js'
import { type Chunk, chunk } from './chunk.js'
import { isBlank } from './clean-word.js'
import type { ChunkConfig } from './config.js'

export interface CaptionPhrases {
  readonly kept: readonly Chunk[]
  /** Why each phrase that was not kept was left out. */
  readonly leftOut: readonly string[]
  /** Why the caption is rejected, where nothing of it is kept. */
  readonly reason: 'empty_caption' | 'no_phrase' | undefined
}

/**
 * The phrases of a caption that are worth asking a teacher for. Category names are taken as they are; of other captions
 * the noun phrases that name things, in order, as many and as long as the configuration allows.
 */
export function captionPhrases({ text, kind }: Caption, config: ChunkConfig): CaptionPhrases {
  if (isBlank(text)) return { kept: [], leftOut: [], reason: 'empty_caption' }
  const kept: Chunk[] = []
  const leftOut: string[] = []
  for (const phrase of kind === 'categories' ? categoryNames(text) : chunk(text)) {
    const why = phrase.leftOut ?? (kind === 'categories' ? undefined : overLimit(phrase, kept.length, config))
    if (why === undefined) kept.push(phrase)
    else leftOut.push(why)
  }
  return { kept, leftOut, reason: kept.length > 0 ? undefined : 'no_phrase' }
}

function overLimit(phrase: Chunk, kept: number, { max_words, max_phrases }: ChunkConfig): string | undefined {
  if (countWords(phrase.text) > max_words) return 'too_long'
  return kept >= max_phrases ? 'too_many' : undefined
}

/** Words of a phrase, by the white space between them. */
export function countWords(text: string): number {
  return text.trim().split(/\s+/).length
}
