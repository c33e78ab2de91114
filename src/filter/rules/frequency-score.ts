import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Keeps boxes of at least a score that depends on how often the phrase's head noun occurs in the dataset: a
 * teacher is less sure of what it has seen seldom, and rare nouns are those from which a self-trained student
 * learns most.
 */
export const frequencyScore = filterRule({
  name: 'frequency_score',
  schema: z
    .strictObject({
      rule: z.literal('frequency_score'),
      bounds: z
        .tuple([z.number().int().min(0), z.number().int().min(0)])
        .default([10, 100])
        .describe('phrases of a head noun in the dataset up to which it is rare, and common'),
      rare: share.describe('weakest score of a box of a rare head noun'),
      common: share.describe('weakest score of a box of a common head noun'),
      frequent: share.describe('weakest score of a box of a frequent head noun'),
    })
    .refine(({ bounds }) => bounds[0] <= bounds[1], { error: 'bounds: the first is above the second' })
    .describe('keeps boxes of at least a score that depends on how frequent the head noun is in the dataset'),
  looksAt: 'itself',
  rescores: false,
  reads: [],
  asks: { tools: 'frequency' },
  create({ bounds, rare, common, frequent }, frequency) {
    const minScore = (head: string) => {
      const count = frequency.get(head) ?? 0
      return count <= bounds[0] ? rare : count <= bounds[1] ? common : frequent
    }
    return { keeps: (box, image) => box.score >= minScore(phraseOf(image, box).head) }
  },
})
