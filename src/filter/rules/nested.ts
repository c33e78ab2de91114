import { iou } from '../../boxes/iou.js'
import type { Rule } from './rule.js'

/**
 * Where one phrase lies within another of the same caption ("a man" in "a man in a red coat") and both name the same
 * box, to an IoU of more than `iou`, keeps the box of one of them: of the longer phrase, as Kosmos-2 does, or with
 * `keep: inner` of the shorter. What the inner phrase names elsewhere ("a red coat") stays.
 */
export function nested({
  iou: most,
  keep,
}: {
  readonly iou: number
  readonly keep: 'outer' | 'inner'
}): Rule {
  return (candidates, { phrases }) => {
    const isWithin = (a: number, b: number) => {
      const [inner, outer] = [phrases[a], phrases[b]]
      return (
        inner.caption === outer.caption &&
        inner.start >= outer.start &&
        inner.end <= outer.end &&
        inner.end - inner.start < outer.end - outer.start
      )
    }
    const yields = keep === 'outer' ? isWithin : (a: number, b: number) => isWithin(b, a)
    return candidates.filter(
      (box) =>
        !candidates.some((other) => yields(box.phrase, other.phrase) && iou(box.xyxy, other.xyxy) > most),
    )
  }
}
