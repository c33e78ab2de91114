import { iou } from './iou.js'
import { around, overlapOfSmaller } from './merge-boxes.js'
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
 * @returns best first
 */
export function joinParts<T extends Scored>(boxes: readonly T[], threshold: number): T[] {
  const joined: T[] = []
  let left: readonly T[] = [...boxes].sort((a, b) => b.score - a.score)
  while (left.length > 0) {
    const [best, ...others] = left as readonly [T, ...T[]]
    const isOfPart = ({ xyxy, isPart }: T) =>
      best.isPart && isPart && overlapOfSmaller(best.xyxy, xyxy) >= threshold
    const isTaken = (box: T) => iou(best.xyxy, box.xyxy) > threshold || isOfPart(box)
    const parts = others.filter((box) => isOfPart(box) && box.score >= leastScore * best.score)
    joined.push({ ...best, xyxy: parts.reduce((all, { xyxy }) => around(all, xyxy), best.xyxy) })
    left = others.filter((box) => !isTaken(box))
  }
  return joined
}
