import { iou } from '../boxes/iou.js'
import type { Region } from '../rows/rows.js'

/** What became of a picture's regions from one grounding to another. */
export interface RegionChanges {
  /** In both, box for box; `rescored` are those of them whose score changed. */
  readonly kept: readonly Region[]
  readonly rescored: number
  /** The same phrase with another box, and the IoU of the two; as the second grounding has it. */
  readonly moved: readonly { readonly region: Region; readonly iou: number }[]
  /** In the first alone, and in the second alone. */
  readonly lost: readonly Region[]
  readonly added: readonly Region[]
}

/** Boxes that overlap less are different things. */
export const leastIou = 0.5

/**
 * Compares two groundings of one picture. Regions belong together by the span of their phrase; of one span
 * first those with equal boxes, then, from the largest overlap on, those that overlap by an IoU of 0.5 at
 * least.
 */
export function compareRegions(before: readonly Region[], after: readonly Region[]): RegionChanges {
  const kept: Region[] = []
  const moved: { region: Region; iou: number }[] = []
  const lost = new Set(before)
  const added = new Set(after)
  let rescored = 0
  const pairs = before.flatMap((a) =>
    after.flatMap((b) => {
      if (a.caption !== b.caption || a.start !== b.start || a.end !== b.end) return []
      const equal = a.xyxy.every((value, at) => value === b.xyxy[at])
      // Equal boxes of equal scores before those of others, so that one that is there twice is not rescored.
      const overlap = equal ? (a.score === b.score ? 3 : 2) : iou(a.xyxy, b.xyxy)
      return overlap >= leastIou ? [{ a, b, overlap }] : []
    }),
  )
  for (const { a, b, overlap } of pairs.sort((one, other) => other.overlap - one.overlap)) {
    if (!lost.has(a) || !added.has(b)) continue
    lost.delete(a)
    added.delete(b)
    if (overlap < 2) moved.push({ region: b, iou: overlap })
    else {
      kept.push(b)
      if (overlap === 2) rescored++
    }
  }
  return { kept, rescored, moved, lost: [...lost], added: [...added] }
}
