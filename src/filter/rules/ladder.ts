import { iou } from '../../boxes/iou.js'
import type { Candidate, Rule } from './rule.js'
import { suppress } from './suppress.js'

/**
 * Several passes from strict to lenient (as NVIDIA TAO's auto-labelling does): each keeps the boxes of at least its
 * score, suppressed at its IoU, of the phrases that no pass before it has found. A phrase that is found surely keeps only
 * sure boxes; one that is not is still given its best ones.
 */
export function ladder({
  passes,
}: {
  readonly passes: readonly { readonly min: number; readonly iou: number }[]
}): Rule {
  return (candidates) => {
    const kept = new Set<Candidate>()
    const found = new Set<number>()
    for (const { min, iou: most } of passes) {
      const left = candidates.filter(({ phrase, score }) => score >= min && !found.has(phrase))
      const best = suppress(
        left,
        ({ phrase }) => phrase,
        (a, b) => iou(a.xyxy, b.xyxy) > most,
      )
      for (const candidate of best) kept.add(candidate)
      for (const { phrase } of best) found.add(phrase)
    }
    return candidates.filter((candidate) => kept.has(candidate))
  }
}
