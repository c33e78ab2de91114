import { areaOf, iou } from './iou.js'
import type { Xyxy } from './xyxy.js'

/** Whether a box lies in one of some areas by half of itself, as COCO has it of crowds. */
export function liesIn(box: Xyxy, areas: readonly Xyxy[]): boolean {
  const own = areaOf(box)
  return areas.some((area) => {
    const overlap = iou(box, area)
    // Of the union's share the overlap's own size.
    return own > 0 && (overlap * (own + areaOf(area))) / (1 + overlap) / own >= 0.5
  })
}
