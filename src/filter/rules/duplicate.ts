import { iou } from '../../boxes/iou.js'
import type { Rule } from './rule.js'
import { suppress } from './suppress.js'

/**
 * Of boxes that overlap by more than an IoU of `iou` and that the same words of one caption name ("a dog and a dog"),
 * keeps the best: a teacher that is asked for the same words twice answers twice. `cross_phrase_nms` leaves these alone,
 * and captions are left to each other, since each tells of the whole picture.
 */
export function duplicate({ iou: most }: { readonly iou: number }): Rule {
  return (candidates, { phrases }) => {
    const groups = new Map<string, number>()
    const groupOf = ({ phrase }: { readonly phrase: number }) => {
      const { caption, text } = phrases[phrase]
      const key = `${caption}/${text.toLowerCase()}`
      const known = groups.get(key) ?? groups.size
      groups.set(key, known)
      return known
    }
    return suppress(candidates, groupOf, (a, b) => iou(a.xyxy, b.xyxy) > most)
  }
}
