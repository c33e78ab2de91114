import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Keeps boxes of at least the score that `heads` gives for the phrase's head noun, and of at least `min` for
 * all others.
 */
export const headScore = filterRule({
  name: 'head_score',
  schema: z
    .strictObject({
      rule: z.literal('head_score'),
      min: share.describe('weakest score of a box of any other head noun'),
      heads: z.record(z.string(), share).describe('weakest score by head noun, such as person: 0.6'),
    })
    .describe('keeps boxes of at least a score that depends on the head noun'),
  looksAt: 'itself',
  rescores: false,
  reads: [],
  asks: null,
  create({ heads, min }) {
    const bounds = new Map(Object.entries(heads).map(([head, bound]) => [head.toLowerCase(), bound]))
    return { keeps: (box, image) => box.score >= (bounds.get(phraseOf(image, box).head) ?? min) }
  },
})
