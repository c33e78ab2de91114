import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import type { Candidate } from '../rule/rule.js'
import { suppress } from '../rule/suppress.js'

/**
 * Several passes from strict to lenient (as NVIDIA TAO's auto-labelling does): each keeps the boxes of at
 * least its score, suppressed at its IoU, of the phrases that no earlier pass has found. So a phrase with
 * sure boxes keeps only those, and one without keeps its best.
 */
export const ladder = filterRule({
  name: 'ladder',
  schema: z
    .strictObject({
      rule: z.literal('ladder'),
      passes: z
        .array(
          z.strictObject({
            min: share.describe('weakest score of a box of this pass'),
            iou: share.describe('overlap (IoU) that two boxes of a phrase may have in this pass'),
          }),
        )
        .min(1)
        .describe('each pass takes the phrases that those before it have not found')
        .refine((passes) => passes.every(({ min }, at) => min < (passes[at - 1]?.min ?? Infinity)), {
          error: 'each pass must have a lower min than the one before: it would find nothing',
        }),
    })
    .describe(
      'keeps boxes in passes from strict to lenient, each for the phrases that none before it has found',
    ),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ passes }) {
    return (candidates) => {
      const kept = new Set<Candidate>()
      const found = new Set<number>()
      for (const { min, iou: maxIou } of passes) {
        const left = candidates.filter(({ phrase, score }) => score >= min && !found.has(phrase))
        const best = suppress(
          left,
          ({ phrase }) => phrase,
          (a, b) => iou(a.xyxy, b.xyxy) > maxIou,
        )
        for (const candidate of best) kept.add(candidate)
        for (const { phrase } of best) found.add(phrase)
      }
      return candidates.filter((candidate) => kept.has(candidate))
    }
  },
})
