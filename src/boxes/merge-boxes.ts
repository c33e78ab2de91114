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
 * @param most how many are wanted, the best ones
 * @returns best first; each is the strongest of its boxes, with the sides of them all
 */
export const mergeBoxes = <T extends Scored>(boxes: readonly T[], threshold: number, most?: number): T[] =>
  absorbBoxes(
    boxes,
    (best, box) => overlapOfSmaller(best.xyxy, box.xyxy) >= threshold,
    (_, box, grown) => overlapOfSmaller(grown, box.xyxy) >= threshold,
    most,
  )

/**
 * From the highest score down, a box takes weaker ones that no other has taken, and may grow around them. Boxes that have
 * no area in common are never one. Equal scores keep their order.
 *
 * @param takes whether a box takes a weaker one that it overlaps, by what both were
 * @param grows whether it grows around one that it has taken, by what it has grown to
 * @param most how many are wanted, the best ones
 * @returns best first; each is the strongest of its boxes, with the sides that it has grown to
 */
export function absorbBoxes<T extends Scored>(
  boxes: readonly T[],
  takes: (best: T, box: T) => boolean,
  grows: (best: T, box: T, grown: Xyxy) => boolean,
  most = Number.POSITIVE_INFINITY,
): T[] {
  // The sort is stable.
  const ranked = [...boxes].sort((a, b) => b.score - a.score)
  // Of each pair it is asked whether they overlap: side by side in memory, of those that nobody has taken yet alone.
  const sides = new Float64Array(4 * ranked.length)
  const left = new Uint32Array(ranked.length)
  for (const [at, { xyxy }] of ranked.entries()) {
    sides.set(xyxy, 4 * at)
    left[at] = at
  }
  const kept: T[] = []
  for (let count = ranked.length; count > 0 && kept.length < most; ) {
    const first = left[0] as number
    const best = ranked[first] as T
    const [x1, y1, x2, y2] = best.xyxy
    let { xyxy } = best
    let stay = 0
    for (let at = 1; at < count; at++) {
      const other = left[at] as number
      const begin = 4 * other
      if (
        (sides[begin] as number) < x2 &&
        (sides[begin + 2] as number) > x1 &&
        (sides[begin + 1] as number) < y2 &&
        (sides[begin + 3] as number) > y1
      ) {
        const box = ranked[other] as T
        if (takes(best, box)) {
          if (grows(best, box, xyxy)) xyxy = around(xyxy, box.xyxy)
          continue
        }
      }
      left[stay++] = other
    }
    kept.push({ ...best, xyxy })
    count = stay
  }
  return kept
}

/** The smallest box that holds both. */
const around = (a: Xyxy, b: Xyxy): Xyxy => [
  Math.min(a[0], b[0]),
  Math.min(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
]
