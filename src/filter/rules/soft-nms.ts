import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { rescored } from '../rule/rescored.js'
import type { Candidate } from '../rule/rule.js'

/**
 * Soft-NMS (Bodla et al. 2017) within a phrase: instead of dropping a box that overlaps a better one, its
 * score is multiplied by exp(-iou^2 / sigma), or with `method: linear` by 1 - iou where the IoU is above
 * `iou`. What falls under `min` is dropped; the others carry their new scores, and are ranked by them.
 *
 * It looks at all boxes: one whose score was lowered may be lowered again by a box that was weaker at first.
 */
export const softNms = filterRule({
  name: 'soft_nms',
  schema: z
    .strictObject({
      rule: z.literal('soft_nms'),
      method: z
        .enum(['gaussian', 'linear'])
        .default('gaussian')
        .describe('how scores fall with the overlap: by exp(-IoU² / sigma), or by 1 - IoU above `iou`'),
      sigma: z
        .number()
        .positive()
        .default(0.5)
        .describe('width of the gaussian method: a larger one lowers scores less'),
      iou: share.default(0.3).describe('overlap (IoU) from which the linear method lowers scores'),
      min: share.describe('weakest score that a box may have afterwards'),
    })
    .describe('lowers the scores of boxes that overlap better ones of their phrase, and drops weak ones'),
  looksAt: 'all',
  rescores: true,
  reads: [],
  asks: null,
  create({ method, sigma, iou: maxIou, min }) {
    const decay = (overlap: number) => {
      if (method === 'gaussian') return Math.exp((-overlap * overlap) / sigma)
      return overlap > maxIou ? 1 - overlap : 1
    }
    return (candidates) => {
      const phrases = new Map<number, Candidate[]>()
      for (const candidate of candidates) {
        const group = phrases.get(candidate.phrase)
        if (group) group.push(candidate)
        else phrases.set(candidate.phrase, [candidate])
      }
      return [...phrases.values()].flatMap((group) => decayed(group, decay, min))
    }
  },
})

function decayed(
  candidates: readonly Candidate[],
  decay: (overlap: number) => number,
  min: number,
): Candidate[] {
  const kept: Candidate[] = []
  let left = candidates
  while (left.length > 0) {
    // Of equal scores the first: candidates come in an order that does not depend on the teacher's.
    const best = left.reduce((a, b) => (b.score > a.score ? b : a))
    if (best.score < min) break
    kept.push(best)
    left = left
      .filter((other) => other !== best)
      .map((other) => {
        const factor = decay(iou(best.xyxy, other.xyxy))
        return factor === 1 ? other : rescored(other, (score) => score * factor)
      })
  }
  return kept
}
