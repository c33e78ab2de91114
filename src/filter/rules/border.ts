import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'

/**
 * Drops boxes that come within `margin` pixels of at least `sides` edges of the picture: with 1 whatever is
 * cut off by an edge, with 4 boxes of the whole picture, which say nothing of where a thing is.
 */
export const border = filterRule({
  name: 'border',
  schema: z
    .strictObject({
      rule: z.literal('border'),
      margin: z.number().min(0).default(1).describe('pixels within which an edge is touched'),
      sides: z.number().int().min(1).max(4).describe('edges that a box may not touch at once'),
    })
    .describe('drops boxes that touch several edges of the picture'),
  looksAt: 'itself',
  rescores: false,
  reads: [],
  asks: null,
  create({ margin, sides }) {
    return {
      keeps({ xyxy: [x1, y1, x2, y2] }, { width, height }) {
        const gaps = [x1, y1, width - x2, height - y2]
        return gaps.filter((gap) => gap <= margin).length < sides
      },
    }
  },
})
