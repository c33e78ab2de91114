import { areaOf } from '../../boxes/iou.js'
import type { Rule } from './rule.js'

/** Keeps boxes that cover between `min` and `max` of the picture, 0 to 1. */
export function area({ min, max }: { readonly min: number; readonly max: number }): Rule {
  return (candidates, { width, height }) =>
    candidates.filter(({ xyxy }) => {
      const share = areaOf(xyxy) / (width * height)
      return share >= min && share <= max
    })
}
