import { iou } from '../../boxes/iou.js'
import type { AskedBox } from '../judge/judge.js'
import type { ViewAnswer, ViewBox } from './ask-views.js'

/**
 * What a detector with a fixed list of labels calls a box; where the box does not say it, what the first view calls the
 * box of the same phrase that overlaps it most, by at least `least`. Null of other teachers.
 */
export function labelOfBox(
  { xyxy, label }: Pick<AskedBox, 'xyxy' | 'label'>,
  phrase: number,
  [first]: readonly ViewAnswer[],
  least: number,
): string | null {
  if (label !== null) return label
  const [closest] = (first?.[phrase] ?? [])
    .map((box) => ({ box, overlap: iou(box.xyxy, xyxy) }))
    .filter(({ overlap }) => overlap >= least)
    .sort((a, b) => b.overlap - a.overlap)
  return closest?.box.label ?? null
}

/**
 * How much of a box each view has found again: the score of its best box of the same phrase that overlaps it by at
 * least `least`, 0 where it has none.
 *
 * @param label what the box is called: one of another label is another thing
 */
export function boxSupport(
  { xyxy }: Pick<AskedBox, 'xyxy'>,
  label: string | null,
  phrase: number,
  views: readonly ViewAnswer[],
  least: number,
): number[] {
  const isSame = (box: ViewBox) => box.label === label || box.label === null || label === null
  // The best come first.
  return views.map(
    (view) => view[phrase]?.find((box) => isSame(box) && iou(box.xyxy, xyxy) >= least)?.score ?? 0,
  )
}
