import { z } from 'zod'

export const doubtConfig = z
  .strictObject({
    threshold: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('likelihood from which on a box is said to be wrong, or a phrase to miss one'),
    fit_pictures: z
      .number()
      .int()
      .positive()
      .default(1000)
      .describe('pictures of which it is learned what errors look like at most, drawn from all'),
    seed: z.number().int().default(1).describe('seed of which pictures these are, and of the errors in them'),
  })
  .describe('says what is likely to be wrong in a grounding, by what a model finds: verdicts')

export type DoubtConfig = z.infer<typeof doubtConfig>

/** How a configuration is where nothing is said. */
export const doubtDefaults: DoubtConfig = doubtConfig.parse({})
