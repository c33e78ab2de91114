import type { Candidate } from './rule.js'

/**
 * A box with another score, and its contrast changed alike: what the teacher answered to other words stays
 * comparable with what it answered to these.
 */
export function rescored(box: Candidate, change: (score: number) => number): Candidate {
  const { contrast } = box
  const score = change(box.score)
  return contrast === undefined || contrast === null
    ? { ...box, score }
    : { ...box, score, contrast: change(contrast) }
}
