import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'

/** Keeps a picture's boxes only where one of them reaches `min` (OWL-ST's first threshold). */
export const imageGate = filterRule({
  name: 'image_gate',
  schema: z
    .strictObject({
      rule: z.literal('image_gate'),
      min: share.describe('score that one box must reach'),
    })
    .describe("keeps a picture's boxes where one of them reaches a score"),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ min }) {
    return (candidates) => (candidates.some((candidate) => candidate.score >= min) ? candidates : [])
  },
})
