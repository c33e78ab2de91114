import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { count } from '../rule/parameters.js'

/** Keeps at most `image` boxes of a picture, the best ones. */
export const maxBoxesImage = filterRule({
  name: 'max_boxes_image',
  schema: z
    .strictObject({
      rule: z.literal('max_boxes_image'),
      image: count.describe('most boxes of a picture'),
    })
    .describe('keeps the best boxes of each picture'),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ image: limit }) {
    return (candidates) => (candidates.length <= limit ? candidates : candidates.slice(0, limit))
  },
})
