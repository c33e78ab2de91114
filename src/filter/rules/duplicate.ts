import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import { filterRule } from '../rule/filter-rule.js'
import { oncePhrase } from '../rule/once-phrase.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'
import { suppress } from '../rule/suppress.js'

/**
 * Of boxes that overlap by more than an IoU of `iou` and that the same words of one caption name ("a dog and
 * a dog"), keeps the best: a teacher that is asked for the same words twice answers twice. `cross_phrase_nms`
 * leaves these alone. Boxes of different captions do not compete, since each caption tells of the whole
 * picture.
 */
export const duplicate = filterRule({
  name: 'duplicate',
  schema: z
    .strictObject({
      rule: z.literal('duplicate'),
      iou: share.default(0.9).describe('overlap (IoU) that boxes of the same words in a caption may have'),
    })
    .describe('of overlapping boxes of the same words, said twice in a caption, keeps the best'),
  looksAt: 'better',
  rescores: false,
  reads: [],
  asks: null,
  create({ iou: maxIou }) {
    return (candidates, image) => {
      const groups = new Map<string, number>()
      const groupOf = oncePhrase(({ caption, text }) => {
        const key = `${caption}/${text.toLowerCase()}`
        const group = groups.get(key) ?? groups.size
        groups.set(key, group)
        return group
      })
      return suppress(
        candidates,
        (box) => groupOf(phraseOf(image, box)),
        (a, b) => iou(a.xyxy, b.xyxy) > maxIou,
      )
    }
  },
})
