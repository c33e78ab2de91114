import { z } from 'zod'
import { categoryMatcher } from '../../words/category-matcher.js'
import { type Synonyms, synonymsSchema } from '../../words/read-synonyms.js'
import { byLabels, labelsFor } from '../rule/by-labels.js'
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
  schema: z
    .strictObject({
      rule: z.literal('label'),
      synonyms: synonymsSchema
        .default({})
        .describe(
          'further names of a label, such as person: [goalkeeper]; or a file of them or the name of a list: coco, lvis, objects365',
        ),
      common: z
        .boolean()
        .default(true)
        .describe("what captions commonly call COCO's categories counts too: man for person"),
    })
    .describe('of a detector with a fixed list of labels, keeps boxes whose label the head noun names'),
  looksAt: 'itself',
  rescores: false,
  reads: ['labels'],
  asks: {
    tools: 'synonyms',
    path: ({ synonyms }) => (typeof synonyms === 'string' ? synonyms : undefined),
    checkTeacher: null,
  },
  create({ synonyms: given, common }, list: Synonyms | undefined) {
    const synonyms = typeof given === 'string' ? list : given
    const matcherOf = byLabels((categories) => categoryMatcher({ categories, synonyms, common }))
    return {
      keeps: (box, image) =>
        box.label === null || matcherOf(labelsFor(image, box))(box.label, phraseOf(image, box)),
    }
  },
})
