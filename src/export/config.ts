import { z } from 'zod'
import { aboutConfig } from '../card/about.js'

export const exportFormats = ['hf', 'webdataset', 'odvg', 'coco', 'saco', 'glip-tsv', 'yolo', 'csv'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** What an export is made of besides the data. */
export const exportConfig = z.strictObject({
  format: z.enum(exportFormats).describe('what is written: docs/exports.md says what each is'),
  images: z
    .enum(['copy', 'link', 'url'])
    .default('copy')
    .describe(
      'copy: files, or within the files of hf, webdataset and glip-tsv; link: hard links to files of `link_from` with the same bytes; url: left where they were crawled',
    ),
  link_from: z
    .string()
    .optional()
    .describe('a folder of pictures: of an earlier export, or the one that was ingested'),
  keep_empty: z
    .boolean()
    .default(false)
    .describe('pictures, and in odvg, coco and glip-tsv captions, that no region names are kept'),
  only: z
    .string()
    .min(1)
    .optional()
    .describe(
      "the pictures to export: the name of a selection of the dataset (`selections/NAME.json`), or a file of pictures' keys, one a line",
    ),
  classes: z
    .string()
    .default('auto')
    .describe(
      'what boxes are called in yolo and in the detection files of odvg and coco: categories (of gold), labels (of a detector), heads (head nouns of phrases), phrases, or a text file of names; auto: the first of categories, labels and heads that there are',
    ),
  split: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/, 'expected lower-case letters, digits and underscores')
    .default('train')
    .describe('the name of the split in hf and yolo'),
  card: aboutConfig.optional(),
})

/** Of a pipeline's stage. */
export const exportStageConfig = exportConfig
  .extend({
    out: z
      .string()
      .optional()
      .describe('the folder to make; exports/ and the name of the stage in that of the run'),
  })
  .describe('writes a grounding and its pictures as a folder that other programs read')

export type ExportConfig = z.infer<typeof exportConfig>
