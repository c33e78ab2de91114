import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'
import { suppress } from '../rule/suppress.js'

/**
 * Of the boxes of one caption's phrases that overlap by more than an IoU of `iou`, keeps the best: one thing,
 * one name (Kosmos-2). Two occurrences of the same words name the same things, so these leave each other
 * alone; so do captions, each of which tells of the whole picture.
 */
export const crossPhraseNms = filterRule({
  name: 'cross_phrase_nms',
  schema: z
    .strictObject({
      rule: z.literal('cross_phrase_nms'),
      iou: share.describe('overlap (IoU) that boxes of two phrases of a caption may have'),
    })
    .describe('of overlapping boxes of different phrases of a caption keeps the best: one thing, one name'),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ iou: maxIou }) {
    return (candidates, image) =>
      suppress(
        candidates,
        (box) => phraseOf(image, box).caption,
        (a, b) =>
          (a.phrase === b.phrase || phraseOf(image, a).text !== phraseOf(image, b).text) &&
          iou(a.xyxy, b.xyxy) > maxIou,
      )
  },
})
