import { z } from 'zod'

const share = z.number().min(0).max(1)

/** How a sample is changed each time that it is drawn. */
export const augmentConfig = z.strictObject({
  flip: share
    .default(0.5)
    .describe('share of samples that are mirrored, left and right swapped in the caption'),
  scale: z
    .tuple([z.number().positive(), z.number().positive()])
    .default([0.7, 1.25])
    .describe('least and greatest size of a picture, in times the size that fits'),
  crop: share
    .default(0.5)
    .describe('share of samples that are moved or cut at the edges; others stay at the top left'),
  colour: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe('largest change of brightness and contrast, as a share'),
  mask_words: share.default(0).describe('share of words hidden behind [MASK]'),
  mask_heads: share
    .default(0)
    .describe(
      'share of phrases with an attribute whose noun is hidden behind [MASK], in exhaustive pictures',
    ),
  categories: share
    .default(0.7)
    .describe('share of samples with a prompt of category names, where there are any'),
  negatives: share.default(0.5).describe('share of captions that get other captions appended'),
  packed_negatives: z
    .boolean()
    .default(true)
    .describe(
      'whether words of appended captions are negatives of every picture; false: of exhaustive pictures alone',
    ),
  absent: share.default(0).describe('share of samples with a prompt of which nothing is in the picture'),
  hard_negatives: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe(
      "at most so many phrases that are known to be absent in a prompt: a picture's stored negatives, and its own phrases with another attribute",
    ),
  attributes: share
    .default(0)
    .describe(
      'share of written captions shown as their phrases beside hard negatives, where an attribute is known to decide',
    ),
  names: share
    .default(0.75)
    .describe('share of prompts of phrases that show names of the source as well, there and absent'),
})

export type AugmentConfig = z.infer<typeof augmentConfig>
