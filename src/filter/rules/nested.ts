import { z } from 'zod'
import { iou } from '../../boxes/iou.js'
import type { Phrase } from '../../rows/rows.js'
import { filterRule } from '../rule/filter-rule.js'
import { oncePhrase } from '../rule/once-phrase.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Where one phrase lies within another of the same caption ("a man" in "a man in a red coat") and both name
 * the same box, to an IoU of more than `iou`, keeps the box of one of them: of the longer phrase, as Kosmos-2
 * does, or with `keep: inner` of the shorter. What the inner phrase names elsewhere ("a red coat") stays.
 */
export const nested = filterRule({
  name: 'nested',
  schema: z
    .strictObject({
      rule: z.literal('nested'),
      iou: share
        .default(0.9)
        .describe('overlap (IoU) from which a phrase within a phrase names the same box'),
      keep: z.enum(['outer', 'inner']).default('outer').describe('the longer phrase or the shorter'),
    })
    .describe('of a phrase within a phrase that both name the same box, keeps the box of one'),
  looksAt: 'all',
  rescores: false,
  reads: [],
  asks: null,
  create({ iou: maxIou, keep }) {
    return (candidates, image) => {
      const yields = (a: Phrase, b: Phrase) => (keep === 'outer' ? isWithin(a, b) : isWithin(b, a))
      const rivalsOf = oncePhrase((phrase) =>
        candidates.filter((other) => yields(phrase, phraseOf(image, other))),
      )
      return candidates.filter(
        (box) => !rivalsOf(phraseOf(image, box)).some((other) => iou(box.xyxy, other.xyxy) > maxIou),
      )
    }
  },
})

const isWithin = (inner: Phrase, outer: Phrase) =>
  inner.caption === outer.caption &&
  inner.start >= outer.start &&
  inner.end <= outer.end &&
  inner.end - inner.start < outer.end - outer.start
