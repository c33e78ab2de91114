import { z } from 'zod'
import { fetchConfig } from '../fetch/fetch-config.js'
import { imageConfig } from '../image/image-config.js'

const count = z.number().int().positive()

/** How category names become captions. */
const promptConfig = z.strictObject({
  max_tokens: count.default(254).describe('of a prompt; more names than fit make more prompts'),
  negatives: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('names of absent categories in a prompt at most; GLIP draws up to 85, training draws its own'),
  seed: z.number().int().default(2112).describe('of what is drawn'),
})

const column = z.union([z.string(), z.number().int().min(0)])

/** Formats of lists: what the picture is like is decided by what is fetched. */
export const pairFormats = ['tsv', 'csv', 'jsonl', 'json', 'parquet', 'webdataset', 'folder'] as const
/** Formats that have boxes, or may have. */
export const goldFormats = [
  'coco',
  'openimages',
  'visual-genome',
  'flickr30k-entities',
  'refcoco',
  'odvg',
  'glip-tsv',
  'yolo',
  'csv-regions',
] as const
const format = z.enum([...pairFormats, ...goldFormats])

/** Where rows come from: the part of the configuration that a dataset card may give. */
const sourceShape = {
  format: format.optional().describe('of the source; a card may give it'),
  path: z
    .string()
    .optional()
    .describe(
      'the list of pairs (a file, a folder of them or a pattern), the folder of pictures, the annotations',
    ),
  header: z.boolean().optional().describe('tsv, csv: whether the first line names the columns'),
  columns: z
    .strictObject({
      url: column.optional(),
      caption: column.optional(),
      image: z.string().optional().describe('the column or field that holds pictures'),
      license: column.optional(),
      regions: z
        .string()
        .optional()
        .describe('parquet, webdataset: the column or field of regions, as groundmill export writes them'),
      meta: z.array(column).optional().describe('columns to keep in `meta`'),
    })
    .optional()
    .describe('names of the columns, or their numbers from 0'),
  images: z.string().optional().describe('the folder of pictures; glip-tsv: the TSV of pictures'),
  captions: z.string().optional().describe('coco: the JSON of captions'),
  instances: z.string().optional().describe('coco, refcoco: the JSON of boxes'),
  classes: z
    .string()
    .optional()
    .describe('openimages: the CSV of class descriptions; odvg: the JSON of label names'),
  image_list: z
    .string()
    .optional()
    .describe('openimages: the CSV of image addresses; visual-genome: image_data.json'),
  federated: z
    .boolean()
    .optional()
    .describe(
      'whether a category that has no box in a picture may be in it all the same; LVIS says so itself',
    ),
  split: z
    .string()
    .optional()
    .describe('refcoco, yolo: the split to take; flickr30k-entities: a list of ids'),
}

export const ingestConfig = z.strictObject({
  ...sourceShape,
  card: z.string().optional().describe('a dataset card that gives what is not given here'),
  license: z.string().optional().describe('of pictures whose source gives none'),
  min_score: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('glip-tsv: boxes that a model found with less are left out; GLIP trained on those above 0.5'),
  prompt: promptConfig.default(promptConfig.parse({})),
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
  format,
  name: z.string(),
  title: z.string(),
  homepage: z.string().optional(),
  paper: z.string().optional(),
  license: z.string(),
  rows: count.optional().describe('rows of the list as it was published'),
  expected: z.record(z.string(), z.number()).optional().describe('other published counts'),
  unchecked: z.array(z.string()).optional().describe('what of this card nobody has held against the data'),
  quirks: z.array(z.string()).optional(),
})

export type Card = z.infer<typeof cardSchema>
