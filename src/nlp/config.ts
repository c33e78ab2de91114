import { z } from 'zod'

export const chunkConfig = z.strictObject({
  max_words: z.number().int().positive().default(10).describe('a longer phrase is left out'),
  max_phrases: z.number().int().positive().default(40).describe('phrases kept of one caption, in its order'),
})

export type ChunkConfig = z.infer<typeof chunkConfig>
