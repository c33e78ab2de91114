import type { Candidate, FilterImage } from './rule.js'

/** Cuts a box off at the picture's edge; undefined where it has no area in it, or no score. */
export function clipCandidate(proposal: Candidate, { width, height }: FilterImage): Candidate | undefined {
  const { xyxy: box } = proposal
  // One by one: in a loop this hot, taking an array apart costs more than all else.
  const x1 = box[0]
  const y1 = box[1]
  const x2 = box[2]
  const y2 = box[3]
  // Written so that what is not a number fails.
  if (!(proposal.score >= 0 && x2 > 0 && y2 > 0 && x1 < width && y1 < height && x2 > x1 && y2 > y1))
    return undefined
  if (x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height) return proposal
  return {
    ...proposal,
    xyxy: [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)],
  }
}

/** Cuts boxes off at the picture's edge, and leaves out those that `clipCandidate` does. */
export const clipBoxes = (proposals: readonly Candidate[], image: FilterImage): Candidate[] =>
  proposals.flatMap((proposal) => clipCandidate(proposal, image) ?? [])
