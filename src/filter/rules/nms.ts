import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { suppress } from '../rule/suppress.js'

/** Of the boxes of one phrase that overlap by more than an IoU of `iou`, keeps the best. */
export const nms = filterRule({
  name: 'nms',
  schema: z
    .strictObject({
      rule: z.literal('nms'),
      iou: share.describe('overlap (IoU) that two boxes of a phrase may have'),
    })
    .describe('of the overlapping boxes of one phrase keeps the best'),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ iou: maxIou }) {
    return (candidates) =>
      suppress(
        candidates,
        ({ phrase }) => phrase,
        (a, b) => iou(a.xyxy, b.xyxy) > maxIou,
      )
  },
})
