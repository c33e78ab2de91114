import { iou } from '../../boxes/iou.js'
import type { Candidate, Rule } from './rule.js'

/**
 * Soft-NMS (Bodla et al. 2017) within a phrase: instead of dropping a box that overlaps a better one, its score is
 * multiplied by exp(-iou^2 / sigma), or with `method: linear` by 1 - iou where the IoU is above `iou`. What falls under
 * `min` is dropped; the others carry their new scores, and are ranked by them.
 */
export function softNms({
  method,
  sigma,
  iou: most,
  min,
}: {
  readonly method: 'gaussian' | 'linear'
  readonly sigma: number
  readonly iou: number
  readonly min: number
}): Rule {
  const decay = (overlap: number) => {
    if (method === 'gaussian') return Math.exp((-overlap * overlap) / sigma)
    return overlap > most ? 1 - overlap : 1
  }
  return (candidates) => {
    const phrases = new Map<number, Candidate[]>()
    for (const candidate of candidates) {
      const own = phrases.get(candidate.phrase)
      if (own) own.push(candidate)
      else phrases.set(candidate.phrase, [candidate])
    }
    return [...phrases.values()].flatMap((own) => decayed(own, decay, min))
  }
}

function decayed(
  candidates: readonly Candidate[],
  decay: (overlap: number) => number,
  min: number,
): Candidate[] {
  const kept: Candidate[] = []
  let left = candidates
  while (left.length > 0) {
    // Of equal scores the first: candidates come in an order of their own.
    const best = left.reduce((a, b) => (b.score > a.score ? b : a))
    if (best.score < min) break
    kept.push(best)
    left = left
      .filter((other) => other !== best)
      .map((other) => {
        const factor = decay(iou(best.xyxy, other.xyxy))
        return factor === 1 ? other : { ...other, score: other.score * factor }
      })
  }
  return kept
}
