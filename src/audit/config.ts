import { z } from 'zod'
import { synonymsSchema } from '../words/read-synonyms.js'

/** What a grounding is held against. */
export const auditConfig = z
  .strictObject({
    truth: z
      .string()
      .min(1)
      .describe(
        'a stage with a grounding of the same dataset, or a COCO file: with captions and tokens_positive, or by category',
      ),
    by: z
      .literal('category')
      .optional()
      .describe('words name things by their category, and not by spans of the truth'),
    synonyms: synonymsSchema
      .optional()
      .describe(
        'with by: further names of a category, such as person: [goalkeeper]; or a file of them or the name of a list: coco, lvis, objects365',
      ),
    known: z.string().min(1).optional().describe('the stage whose regions make head nouns known'),
  })
  .describe('holds the regions of a grounding against a truth: how many are right, by kind of phrase')

export type AuditConfig = z.infer<typeof auditConfig>

/** Where the truth and what is known lie is not hashed: what is in them is. */
export const auditNotHashed = ['truth', 'known'] as const
