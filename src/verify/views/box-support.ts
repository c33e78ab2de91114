import { iou } from '../../boxes/iou.js'
import type { AskedBox } from '../judge/judge.js'
import type { ViewAnswer, ViewBox } from './ask-views.js'

/**
 * How much of a box each view has found again: the score of its best box of the same phrase that overlaps it by at
 * least `least`, 0 where it has none.
 *
 * A box of a detector with a fixed list of labels is found again by one with its label. Which that is is asked of the
 * first view where the box itself does not say it.
 */
export function boxSupport(
  { xyxy, label }: AskedBox,
  phrase: number,
  views: readonly ViewAnswer[],
  least: number,
): number[] {
  const overlapping = views.map((view) => (view[phrase] ?? []).filter((box) => iou(box.xyxy, xyxy) >= least))
  const [closest] = (overlapping[0] ?? [])
    .map((box) => ({ box, overlap: iou(box.xyxy, xyxy) }))
    .sort((a, b) => b.overlap - a.overlap)
  const own = label ?? closest?.box.label ?? null
  const isSame = (box: ViewBox) => box.label === own || box.label === null || own === null
  return overlapping.map((boxes) => boxes.find(isSame)?.score ?? 0)
}
