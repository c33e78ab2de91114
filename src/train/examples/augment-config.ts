import { z } from 'zod'

const share = z.number().min(0).max(1)

/** How a sample is changed each time that it is drawn. */
export const augmentConfig = z.strictObject({
  flip: share.default(0.5).describe('share mirrored, left and right swapped in the caption'),
  scale: z
    .tuple([z.number().positive(), z.number().positive()])
    .default([0.7, 1.25])
    .describe('range of the size'),
  crop: share.default(0.5).describe('share moved or cut at the edges; others stay at the top left'),
  colour: z.number().min(0).max(1).default(0.2).describe('largest change of brightness and contrast'),
  mask_words: share.default(0).describe('share of words hidden behind [MASK]'),
  categories: share
    .default(0.7)
    .describe('share of samples with a prompt of category names, where there are any'),
  negatives: share.default(0.5).describe('share of captions that get other captions appended'),
})

export type AugmentConfig = z.infer<typeof augmentConfig>
