import { z } from 'zod'

export const chunkConfig = z
  .strictObject({
    mode: z
      .enum(['phrases', 'ngrams'])
      .default('phrases')
      .describe('noun phrases, or every run of words up to max_words (OWL-ST)'),
    // No default, so that what was made before the key was there stays as it is.
    categories: z
      .boolean()
      .optional()
      .describe('false: the names of category prompts are no phrases, captions alone are read'),
    max_words: z.number().int().positive().default(10).describe('a longer phrase or n-gram is left out'),
    max_phrases: z
      .number()
      .int()
      .positive()
      .default(40)
      .describe('phrases kept of one caption, in its order'),
    max_ngrams: z
      .number()
      .int()
      .positive()
      .default(300)
      .describe('n-grams kept of one caption, in its order'),
  })
  .describe('finds the noun phrases of captions')

export type ChunkConfig = z.infer<typeof chunkConfig>
