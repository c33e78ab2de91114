import { iou } from '../../boxes/iou.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { StageVerdict } from './rule.js'

/**
 * Verdicts about a box among those of its phrase: about this very box, else about boxes that overlap it by at least
 * `least`, so that they outlive another run of the teacher.
 */
export function verdictsAbout(
  own: readonly StageVerdict[],
  box: Xyxy,
  least: number,
): readonly StageVerdict[] {
  const same = own.filter(({ xyxy }) => xyxy?.every((side, at) => side === box[at]))
  return same.length > 0 ? same : own.filter(({ xyxy }) => xyxy !== null && iou(xyxy, box) >= least)
}
