import { areaOf } from './iou.js'
import type { Xyxy } from './xyxy.js'

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/** Intersection of two boxes over the area of the smaller one, 0 to 1; 0 where that has none. */
export function overlapOfSmaller(a: Xyxy, b: Xyxy): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  const smaller = Math.min(areaOf(a), areaOf(b))
  return width > 0 && height > 0 && smaller > 0 ? (width * height) / smaller : 0
}

/**
 * Greedy non-maximum merging (SAHI, Akyon et al. 2022, `GREEDYNMM` with the metric `IOS`): from the highest score down, a
 * box takes the weaker ones whose overlap with it, in shares of the smaller of the two, is at least `threshold`, and
 * grows around those that overlap as much with what it has grown to. So the halves of a thing that the edge of a tile
 * has cut become one. Weak boxes make strong ones too large: it is meant for those above some 0.25. Equal scores keep
 * their order.
 *
 * @returns best first; each is the strongest of its boxes, with the sides of them all
 */
export function mergeBoxes<T extends Scored>(boxes: readonly T[], threshold: number): T[] {
  const ranked = [...boxes].sort((a, b) => b.score - a.score)
  const merged: T[] = []
  let left: readonly T[] = ranked
  while (left.length > 0) {
    const [best, ...others] = left as readonly [T, ...T[]]
    const isTaken = ({ xyxy }: T) => overlapOfSmaller(best.xyxy, xyxy) >= threshold
    let xyxy = best.xyxy
    for (const other of others.filter(isTaken))
      if (overlapOfSmaller(xyxy, other.xyxy) >= threshold) xyxy = around(xyxy, other.xyxy)
    merged.push({ ...best, xyxy })
    left = others.filter((other) => !isTaken(other))
  }
  return merged
}

/** The smallest box that holds both. */
export const around = (a: Xyxy, b: Xyxy): Xyxy => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
]
