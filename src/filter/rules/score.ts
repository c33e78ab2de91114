import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'

/** Keeps boxes of at least `min` (GLIP: CAPTION_CONF 0.5). */
export const score = filterRule({
  name: 'score',
  schema: z
    .strictObject({
      rule: z.literal('score'),
      min: share.describe('weakest score that a box may have'),
    })
    .describe('keeps boxes of at least a score'),
  looksAt: 'itself',
  rescores: false,
  reads: [],
  asks: null,
  create({ min }) {
    return { keeps: ({ score }) => score >= min }
  },
})
