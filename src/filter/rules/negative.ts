import { iou } from '../../boxes/iou.js'
import type { Rule } from './rule.js'

/**
 * Drops boxes that a better box of a negative prompt overlaps by at least an IoU of `iou`: where the teacher is surer of
 * "a logo" than of "an apple", there is a logo. Negatives are what the teach stage's `negatives` asked for in every
 * picture, and the phrases of captions whose text or head noun is among `phrases`, whose own boxes are dropped as well.
 */
export function negative({
  iou: least,
  phrases: words,
}: {
  readonly iou: number
  readonly phrases: readonly string[]
}): Rule {
  const unwanted = new Set(words.map((word) => word.toLowerCase()))
  return (candidates, { phrases, negatives = [] }) => {
    const isUnwanted = phrases.map(({ text, head }) => unwanted.has(text.toLowerCase()) || unwanted.has(head))
    const against = [...negatives, ...candidates.filter(({ phrase }) => isUnwanted[phrase])]
    return candidates.filter(
      ({ phrase, xyxy, score }) =>
        !isUnwanted[phrase] && !against.some((box) => box.score >= score && iou(box.xyxy, xyxy) >= least),
    )
  }
}
