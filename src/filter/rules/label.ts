import { z } from 'zod'
import { labelMatcher } from '../../words/label-matches.js'
import { byLabels } from '../rule/by-labels.js'
import { filterRule } from '../rule/filter-rule.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Of a detector with a fixed list of labels, which proposes every box for every phrase, keeps the boxes whose
 * label the phrase's head names, in the singular or plural or by a synonym. Of several labels that name it
 * the longest is meant: "a hot dog" is no dog to a detector that has a label for it. Boxes without a label
 * were found for their phrase, and stay.
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
    const matcherOf = byLabels((labels) => labelMatcher(labels, synonyms))
    return (candidates, image) => {
      const matches = matcherOf(image.labels)
      return candidates.filter((box) => box.label === null || matches(box.label, phraseOf(image, box)))
    }
  },
})
