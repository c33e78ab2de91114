import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'

/**
 * Drops boxes that a better box of a negative prompt overlaps by at least an IoU of `iou`: where the teacher
 * is surer of "a logo" than of "an apple", there is a logo. Negatives are what the teach stage's `negatives`
 * asked for in every picture, and the phrases of captions whose text or head noun is among `phrases`, whose
 * own boxes are dropped as well.
 */
export const negative = filterRule({
  name: 'negative',
  schema: z
    .strictObject({
      rule: z.literal('negative'),
      iou: share
        .default(0.5)
        .describe('overlap (IoU) with a better box of a negative prompt from which a box is dropped'),
      phrases: z
        .array(z.string())
        .default([])
        .describe("texts and head nouns of captions that count as negatives, besides the teacher's own"),
    })
    .describe('drops boxes that a better box of a negative prompt, such as "a logo", overlaps'),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ iou: minIou, phrases: words }) {
    const unwanted = new Set(words.map((word) => word.toLowerCase()))
    return (candidates, { phrases, negatives = [] }) => {
      if (unwanted.size === 0 && negatives.length === 0) return candidates
      const isUnwanted = phrases.map(
        ({ text, head }) => unwanted.has(text.toLowerCase()) || unwanted.has(head),
      )
      const against = [...negatives, ...candidates.filter(({ phrase }) => isUnwanted[phrase])]
      return candidates.filter(
        ({ phrase, xyxy, score }) =>
          !isUnwanted[phrase] && !against.some((box) => box.score >= score && iou(box.xyxy, xyxy) >= minIou),
      )
    }
  },
})
