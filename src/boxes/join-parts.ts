import { iou } from './iou.js'
import { absorbBoxes, overlapOfSmaller } from './merge-boxes.js'
import type { Xyxy } from './xyxy.js'

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
  /** Whether the edge of a tile cuts it, so that it may go on in the next one. */
  readonly isPart: boolean
}

/** Weaker parts than this, in shares of the strongest, are not of the same thing: they would make it too large. */
const leastScore = 0.5

/**
 * Non-maximum suppression of boxes that were found in tiles: from the highest score down, a box takes the weaker ones
 * that overlap it by more than `threshold`. A part takes parts whose overlap with it is that much of the smaller one,
 * too, and grows around those that are about as sure, so that the halves of a thing become one. Unlike greedy
 * non-maximum merging, no whole box grows, whatever weak ones lie about it.
 *
 * @param most how many are wanted, the best ones
 * @returns best first
 */
export function joinParts<T extends Scored>(boxes: readonly T[], threshold: number, most?: number): T[] {
  const isOfPart = (best: T, box: T) =>
    best.isPart && box.isPart && overlapOfSmaller(best.xyxy, box.xyxy) >= threshold
  return absorbBoxes(
    boxes,
    (best, box) => iou(best.xyxy, box.xyxy) > threshold || isOfPart(best, box),
    (best, box) => box.score >= leastScore * best.score && isOfPart(best, box),
    most,
  )
}
