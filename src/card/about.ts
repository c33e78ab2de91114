import { z } from 'zod'

const sentence = z.string().trim().min(1)
/** Croissant has no identifiers with white space, escaped or not. */
const address = z.url().regex(/^\S+$/, 'expected an address without white space')

/**
 * What only people know of a dataset, and what no record of it can say. Keys that the responsible-AI extension of
 * Croissant has are named after its properties (http://mlcommons.org/croissant/RAI/1.0).
 */
export const aboutConfig = z
  .strictObject({
    title: sentence.optional().describe('the name of the dataset as people read it'),
    description: sentence.optional().describe('what it is, in a few sentences'),
    license: sentence
      .optional()
      .describe("its licence: an identifier or an address; by default that of the source's card"),
    creators: z
      .array(
        z.strictObject({
          name: sentence.describe('of a person or an organization'),
          type: z.enum(['person', 'organization']).default('person').describe('which of the two it is'),
          url: address.optional().describe('where more is said of them'),
          email: z.email().optional().describe('where they can be reached'),
        }),
      )
      .min(1)
      .optional()
      .describe('who made it'),
    url: address.optional().describe('where it is published'),
    citation: sentence.optional().describe('how it is cited: BibTeX, or a sentence'),
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, 'expected MAJOR.MINOR.PATCH')
      .optional()
      .describe('its version, MAJOR.MINOR.PATCH'),
    date_published: z.iso
      .date('expected a day, YYYY-MM-DD')
      .optional()
      .describe('the day on which it was published, YYYY-MM-DD'),
    keywords: z.array(sentence).optional().describe('words by which it is found'),
    languages: z
      .array(z.string().regex(/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/, 'expected a tag of BCP 47, such as en'))
      .optional()
      .describe('languages of its captions, as tags of BCP 47'),
    derived_from: z
      .array(address)
      .optional()
      .describe("addresses of the datasets that it was made of, beside what the source's card says"),
    data_collection: sentence.optional().describe('how the data were collected'),
    data_limitations: sentence
      .optional()
      .describe('what it is not good for, beside what its records show (required by NeurIPS)'),
    data_biases: sentence.optional().describe('biases that are known of it (required by NeurIPS)'),
    personal_sensitive_information: sentence
      .optional()
      .describe('what personal or sensitive information is in it (required by NeurIPS)'),
    data_use_cases: sentence.optional().describe('what it is meant for (required by NeurIPS)'),
    data_social_impact: sentence
      .optional()
      .describe('what good or harm its use may do (required by NeurIPS)'),
    has_synthetic_data: z
      .boolean()
      .optional()
      .describe('whether pictures or captions of it were made by a model (required by NeurIPS)'),
    data_release_maintenance_plan: sentence.optional().describe('who keeps it, and for how long'),
  })
  .describe('what only people know of a dataset, for its card and its croissant.json (docs/papers.md)')

export type About = z.infer<typeof aboutConfig>
