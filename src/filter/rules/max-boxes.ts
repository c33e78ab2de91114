import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { count } from '../rule/parameters.js'

/** Keeps at most `phrase` boxes of each phrase, the best ones. */
export const maxBoxes = filterRule({
  name: 'max_boxes',
  schema: z
    .strictObject({
      rule: z.literal('max_boxes'),
      phrase: count.describe('most boxes of a phrase'),
    })
    .describe('keeps the best boxes of each phrase'),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ phrase: limit }) {
    return (candidates) => {
      const counts = new Map<number, number>()
      return candidates.filter(({ phrase }) => {
        const before = counts.get(phrase) ?? 0
        counts.set(phrase, before + 1)
        return before < limit
      })
    }
  },
})
