import { iou } from '../../src/boxes/iou.js'
import type { Detection } from '../../src/evaluate/box-table.js'

export interface Paired {
  /** How many are paired. */
  readonly pairs: number
  /** The largest difference of a pair's sides, in pixels of the picture. */
  readonly side: number
  /** The differences of the pairs' scores, least first. */
  readonly scores: readonly number[]
}

/** Within a pixel. */
export const atOnePlace = (_a: Corners, _b: Corners, distance: number): boolean => distance <= 1

/** More than half shared. */
export const overlapping = (a: Corners, b: Corners): boolean => iou(a, b) > 0.5

type Corners = [number, number, number, number]

/**
 * Pairs each detection with the nearest of the same category, each of which is taken once.
 *
 * @param fits whether a box and the one that is nearest to it are a pair
 */
export function pairDetections(
  ours: readonly Detection[],
  theirs: readonly Detection[],
  fits: (a: Corners, b: Corners, distance: number) => boolean,
): Paired {
  const left = new Set(ours)
  const scores: number[] = []
  let side = 0
  for (const one of theirs) {
    const corners = cornersOf(one)
    let best: { readonly other: Detection; readonly distance: number } | undefined
    for (const other of left) {
      if (other.category !== one.category) continue
      const distance = Math.max(
        ...cornersOf(other).map((value, at) => Math.abs(value - (corners[at] ?? Number.NaN))),
      )
      if (!best || distance < best.distance) best = { other, distance }
    }
    if (!best || !fits(corners, cornersOf(best.other), best.distance)) continue
    left.delete(best.other)
    side = Math.max(side, best.distance)
    scores.push(Math.abs(best.other.score - one.score))
  }
  return { pairs: scores.length, side, scores: scores.sort((a, b) => a - b) }
}

const cornersOf = ({ bbox: [x, y, w, h] }: Detection): Corners => [x, y, x + w, y + h]
