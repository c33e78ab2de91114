import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'

/**
 * Keeps boxes whose longer side is at most `max` times the shorter: longer ones are edges of pictures and
 * lines of text.
 */
export const aspect = filterRule({
  name: 'aspect',
  schema: z
    .strictObject({
      rule: z.literal('aspect'),
      max: z.number().min(1).describe('the longest side that a box may have, in times its shorter one'),
    })
    .describe('drops boxes that are too long and thin'),
  looksAt: 'itself',
  rescores: false,
  reads: [],
  asks: null,
  create({ max }) {
    return {
      keeps({ xyxy: [x1, y1, x2, y2] }) {
        const width = x2 - x1
        const height = y2 - y1
        return Math.max(width, height) <= max * Math.min(width, height)
      },
    }
  },
})
