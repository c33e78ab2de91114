import { iou } from '../../boxes/iou.js'
import type { Rule } from './rule.js'
import { suppress } from './suppress.js'

/** Of the boxes of one phrase that overlap by more than an IoU of `iou`, keeps the best. */
export function nms({ iou: most }: { readonly iou: number }): Rule {
  return (candidates) =>
    suppress(
      candidates,
      ({ phrase }) => phrase,
      (a, b) => iou(a.xyxy, b.xyxy) > most,
    )
}
