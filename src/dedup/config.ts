import { z } from 'zod'

export const dedupConfig = z
  .strictObject({
    url: z
      .boolean()
      .default(true)
      .describe('a picture from an address that an earlier one came from is dropped'),
    bytes: z.boolean().default(true).describe('a picture of the same bytes as an earlier one is dropped'),
    distance: z
      .number()
      .int()
      .min(0)
      .max(16)
      .nullable()
      .default(4)
      .describe(
        'bits of 64 by which perceptual hashes may differ for a near duplicate; null: none are looked for',
      ),
    edited: z
      .boolean()
      .optional()
      .describe(
        'whether an edited copy (a rim of up to 5 % cut off, a logo, encoded anew) is a near duplicate, too, and counts as a picture of an evaluation set; yes where it is not said. With distance: null it is not looked for among the pictures themselves',
      ),
    mirrored: z
      .boolean()
      .optional()
      .describe(
        'whether a mirror image is such a copy; yes where it is not said. Captions that say left and right are a reason for no',
      ),
    against: z
      .array(z.string())
      .default([])
      .describe(
        'evaluation sets that must not be in the data: ingest stages, datasets, or text files of hashes',
      ),
    against_distance: z
      .number()
      .int()
      .min(0)
      .max(16)
      .default(6)
      .describe('bits by which a picture may differ from one of an evaluation set and still count as it'),
  })
  .describe('drops pictures that are there already, or that an evaluation set has')

export type DedupConfig = z.infer<typeof dedupConfig>
