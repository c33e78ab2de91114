import { areaOf } from './iou.js'
import type { Xyxy } from './xyxy.js'

/** Whether a box lies in one of some areas by half of itself, as COCO has it of crowds. */
export function liesIn(box: Xyxy, areas: readonly Xyxy[]): boolean {
  const own = areaOf(box)
  // Written so that a box without area, of which this is 0 / 0, lies in none.
  return areas.some((area) => areaOf(commonPart(box, area)) / own >= 0.5)
}

/** What two boxes have in common; turned inside out where that is nothing. */
const commonPart = (a: Xyxy, b: Xyxy): Xyxy => [
  Math.max(a[0], b[0]),
  Math.max(a[1], b[1]),
  Math.min(a[2], b[2]),
  Math.min(a[3], b[3]),
]
