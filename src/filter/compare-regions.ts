import { matchRegions } from '../boxes/match-regions.js'
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

/**
 * Compares two groundings of one picture. Regions belong together by the span of their phrase; of one span
 * first those with equal boxes, then, from the largest overlap on, those that overlap by an IoU of 0.5 at
 * least.
 */
export function compareRegions(before: readonly Region[], after: readonly Region[]): RegionChanges {
  const pairs = matchRegions(before, after)
  const [lost, added] = [new Set(before.keys()), new Set(after.keys())]
  for (const pair of pairs) {
    lost.delete(pair.before)
    added.delete(pair.after)
  }
  const equal = pairs.filter(({ isEqual }) => isEqual)
  const at = (regions: readonly Region[], place: number) => regions[place] as Region
  return {
    kept: equal.map((pair) => at(after, pair.after)),
    rescored: equal.filter(({ isSameScore }) => !isSameScore).length,
    moved: pairs
      .filter(({ isEqual }) => !isEqual)
      .map((pair) => ({ region: at(after, pair.after), iou: pair.iou })),
    lost: [...lost].map((place) => at(before, place)),
    added: [...added].map((place) => at(after, place)),
  }
}
