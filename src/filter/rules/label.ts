import { z } from 'zod'
import { labelMatches } from '../../words/label-matches.js'
import { filterRule } from '../rule/filter-rule.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Of a detector with a fixed list of labels, which proposes every box for every phrase, keeps the boxes whose
 * label the phrase's head names, in the singular or plural or by a synonym. Boxes without a label were found
 * for their phrase, and stay.
 */
export const label = filterRule({
  name: 'label',
  schema: z.strictObject({
    rule: z.literal('label'),
    synonyms: z
      .record(z.string(), z.array(z.string()))
      .default({})
      .describe('further names of a label, such as person: [man, woman]'),
  }),
  looksAt: 'itself',
  rescores: false,
  reads: ['labels'],
  asks: null,
  create({ synonyms }) {
    return (candidates, image) =>
      candidates.filter(
        (box) => box.label === null || labelMatches(box.label, phraseOf(image, box), synonyms),
      )
  },
})
