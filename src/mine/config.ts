import { z } from 'zod'
import { sessionKeys } from '../teacher/config.js'

/** Where proposals come from, besides what the source itself says. */
export const mineSources = ['siblings', 'attributes', 'frequent'] as const
export type MineSource = (typeof mineSources)[number]

export const mineConfig = z
  .strictObject({
    model: z
      .string()
      .optional()
      .describe(
        'a model folder or the name of a train stage; else the train stage it needs; none: nothing is asked',
      ),
    sources: z
      .array(z.enum(mineSources))
      .default([...mineSources])
      .describe(
        'siblings by WordNet of what is there, attributes: other values in its phrases, frequent phrases of the dataset',
      ),
    max: z
      .number()
      .int()
      .positive()
      .default(30)
      .describe('negatives of a picture at most; from each source as many are asked'),
    min_score: z
      .number()
      .min(0)
      .max(1)
      .default(0.3)
      .describe('score that a box of the model must reach: else the phrase is too easy'),
    seed: z.number().int().default(2112).describe('seed of what is drawn'),
    ...sessionKeys,
  })
  .describe('finds phrases that name nothing in the pictures of gold, the hardest for a model')

export type MineConfig = z.infer<typeof mineConfig>

/** Keys that change how fast, never what comes out. */
export const mineNotHashed = ['threads', 'device', 'sessions', 'open_sizes'] as const
