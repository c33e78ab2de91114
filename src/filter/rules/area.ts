import { z } from 'zod'
import { areaOf } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'

/** Keeps boxes that cover between `min` and `max` of the picture, 0 to 1. */
export const area = filterRule({
  name: 'area',
  schema: z
    .strictObject({
      rule: z.literal('area'),
      min: share.default(0).describe('smallest share of the picture that a box may cover'),
      max: share.default(1).describe('largest share of the picture that a box may cover'),
    })
    .refine(({ min, max }) => min <= max, { error: 'min is above max: nothing would be kept' })
    .describe('keeps boxes that cover a share of the picture between two bounds'),
  looksAt: 'itself',
  rescores: false,
  reads: [],
  asks: null,
  create({ min, max }) {
    return {
      keeps({ xyxy }, { width, height }) {
        const covered = areaOf(xyxy) / (width * height)
        return covered >= min && covered <= max
      },
    }
  },
})
