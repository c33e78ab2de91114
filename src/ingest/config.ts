import { z } from 'zod'

const count = z.number().int().positive()

/** How pictures are fetched. */
const fetchConfig = z.strictObject({
  concurrency: count.default(32).describe('requests under way at once'),
  timeout_ms: count.default(10_000).describe('for one try, from the request to the last byte'),
  max_bytes: count.default(20_000_000).describe('a longer answer is rejected while it streams'),
  retries: z.number().int().min(0).default(2).describe('further tries after failures that may pass'),
  user_agent: z
    .string()
    .default('groundmill/0.1 (+https://www.npmjs.com/package/groundmill)')
    .describe('who asks; name a contact of yours'),
})

/** What becomes of a picture. */
const imageConfig = z.strictObject({
  resize: z
    .enum(['no', 'keep_ratio_largest'])
    .default('keep_ratio_largest')
    .describe(
      'keep_ratio_largest: the longer side is scaled down to max_side; no: every picture keeps its size',
    ),
  max_side: count.default(1333).describe('pixels; smaller pictures are not enlarged'),
  min_side: count.default(16).describe('pixels; a picture with a shorter side is rejected'),
  max_pixels: count.default(100_000_000).describe('a larger picture is rejected before it is decoded'),
  quality: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(92)
    .describe('of JPEG, where a picture must be encoded anew'),
})

/** Where pairs come from: the part of the configuration that a dataset card may give. */
const sourceShape = {
  format: z
    .enum(['tsv', 'jsonl', 'parquet', 'coco', 'folder'])
    .optional()
    .describe('of the source; a card may give it'),
  path: z.string().optional().describe('the list of pairs, or the folder of pictures'),
  header: z.boolean().optional().describe('tsv: whether the first line names the columns'),
  columns: z
    .strictObject({
      url: z.union([z.string(), z.number().int().min(0)]),
      caption: z.union([z.string(), z.number().int().min(0)]),
    })
    .optional()
    .describe('names of the columns, or their numbers from 0'),
  images: z.string().optional().describe('coco: the folder of pictures'),
  captions: z.string().optional().describe('coco: the JSON of captions'),
  instances: z.string().optional().describe('coco: the JSON of boxes'),
}

export const ingestConfig = z.strictObject({
  ...sourceShape,
  card: z.string().optional().describe('a dataset card that gives what is not given here'),
  license: z.string().optional().describe('of pictures whose source gives none'),
  base_url: z.string().optional().describe('relative addresses and file names are fetched from there'),
  shard_size: count
    .max(10_000)
    .default(1000)
    .describe('rows of the source in a shard; a key has four digits for them'),
  limit: count.optional().describe('rows of the source to take'),
  fetch: fetchConfig.default(fetchConfig.parse({})),
  image: imageConfig.default(imageConfig.parse({})),
})

export type IngestConfig = z.infer<typeof ingestConfig>

/** Keys that change how fast or from where, never what comes out. */
export const ingestNotHashed = ['base_url', 'fetch'] as const

/** A dataset card: `datasets/*.yaml`. */
export const cardSchema = z.strictObject({
  ...sourceShape,
  format: z.enum(['tsv', 'jsonl', 'parquet', 'coco', 'folder']),
  name: z.string(),
  title: z.string(),
  homepage: z.string().optional(),
  paper: z.string().optional(),
  license: z.string(),
  expected: z.record(z.string(), z.number()).optional().describe('published counts'),
  quirks: z.array(z.string()).optional(),
})

export type Card = z.infer<typeof cardSchema>
