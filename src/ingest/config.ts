import { z } from 'zod'
import { fetchConfig } from './fetch-config.js'
import { imageConfig } from './image-config.js'

const count = z.number().int().positive()

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
  min_success_rate: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe('of the rows of the source so far; a run that falls under it is told of or ended'),
  low_success: z
    .enum(['warn', 'stop'])
    .default('warn')
    .describe('what a run does that falls under min_success_rate'),
})

export type IngestConfig = z.infer<typeof ingestConfig>

/** Keys that change how fast or from where, never what comes out. */
export const ingestNotHashed = ['base_url', 'fetch', 'min_success_rate', 'low_success'] as const

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
