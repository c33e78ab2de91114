import type { Candidate, FilterImage } from './rule.js'

/** Cuts boxes off at the picture's edge. What has no area in it, or no score, is left out. */
export function clipBoxes(proposals: readonly Candidate[], { width, height }: FilterImage): Candidate[] {
  const clipped: Candidate[] = []
  for (const proposal of proposals) {
    const { xyxy: box } = proposal
    // One by one: in a loop this hot, taking an array apart costs more than all else.
    const x1 = box[0]
    const y1 = box[1]
    const x2 = box[2]
    const y2 = box[3]
    // Written so that what is not a number fails.
    if (!(proposal.score >= 0 && x2 > 0 && y2 > 0 && x1 < width && y1 < height && x2 > x1 && y2 > y1))
      continue
    if (x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height) {
      clipped.push(proposal)
      continue
    }
    const xyxy = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)] as const
    clipped.push({ ...proposal, xyxy })
  }
  return clipped
}
