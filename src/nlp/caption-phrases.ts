import type { Caption } from '../rows/rows.js'
import { countWords } from '../words/count-words.js'
import { categoryNames } from './category-names.js'
import { type Chunk, chunk } from './chunk.js'
import type { ChunkConfig } from './config.js'
import { isEnglish } from './language.js'
import type { LeftOut } from './left-out.js'
import { isBlank } from './lexicon/clean-word.js'
import { type Token, tokenize } from './lexicon/tokenize.js'
import { nGrams } from './n-grams.js'

export interface LeftOutChunk extends Chunk {
  readonly leftOut: LeftOut
}

export interface CaptionPhrases {
  readonly kept: readonly Chunk[]
  /** The phrases that are not worth grounding, each with the reason. */
  readonly leftOut: readonly LeftOutChunk[]
  /** Why the caption is rejected, where nothing of it is kept. */
  readonly reason: 'empty_caption' | 'not_english' | 'no_phrase' | undefined
}

/**
 * The phrases of a caption that are worth asking a teacher for. Category names are taken as they are; of
 * other captions the noun phrases that name things, or their n-grams, in order, as many and as long as the
 * configuration allows.
 */
export function captionPhrases({ text, kind }: Caption, config: ChunkConfig): CaptionPhrases {
  if (isBlank(text)) return { kept: [], leftOut: [], reason: 'empty_caption' }
  const tokens = tokenize(text)
  if (kind !== 'categories' && !isEnglish(tokens)) return { kept: [], leftOut: [], reason: 'not_english' }
  const kept: Chunk[] = []
  const leftOut: LeftOutChunk[] = []
  for (const phrase of chunksOf(text, tokens, kind, config)) {
    const why = phrase.leftOut ?? (kind === 'categories' ? undefined : overLimit(phrase, kept.length, config))
    if (why === undefined) kept.push(phrase)
    else leftOut.push({ ...phrase, kept: undefined, leftOut: why })
  }
  return { kept, leftOut, reason: kept.length > 0 ? undefined : 'no_phrase' }
}

function chunksOf(
  text: string,
  tokens: readonly Token[],
  kind: Caption['kind'],
  { mode, max_words }: ChunkConfig,
): Chunk[] {
  if (kind === 'categories') return categoryNames(text)
  return mode === 'ngrams' ? nGrams(text, max_words) : chunk(text, tokens)
}

function overLimit(phrase: Chunk, kept: number, config: ChunkConfig): 'too_long' | 'too_many' | undefined {
  if (countWords(phrase.text) > config.max_words) return 'too_long'
  return kept >= (config.mode === 'ngrams' ? config.max_ngrams : config.max_phrases) ? 'too_many' : undefined
}
