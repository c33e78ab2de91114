import { z } from 'zod'
import type { Phrase } from '../../rows/rows.js'
import { bareName } from '../../words/bare-name.js'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'
import type { Candidate, FilterImage } from '../rule/rule.js'

/**
 * Keeps a box as its phrase names it where the teacher answered by its colour, size or place: where its score
 * is by at least `margin` above its contrast, what the same box got when another value was asked for. Where
 * the answers are the same ("a blue dolphin" would do as well as "a red dolphin") it is a dolphin at most: the
 * box is kept for the name alone, or with `else: drop` dropped. Boxes of phrases without such an attribute
 * have no contrast, and stay.
 */
export const contrast = filterRule({
  name: 'contrast',
  schema: z
    .strictObject({
      rule: z.literal('contrast'),
      margin: share.default(0.1).describe('by how much the score is above that with another attribute'),
      else: z
        .enum(['head', 'drop'])
        .default('head')
        .describe('what becomes of the others: a label of the name alone, or none'),
    })
    .describe('keeps boxes that answer to the colour, size or place of their phrase'),
  looksAt: 'itself',
  rescores: false,
  reads: ['contrast'],
  asks: null,
  create({ margin, else: otherwise }) {
    return (candidates, image) =>
      candidates.flatMap((box) => {
        const { score, contrast } = box
        if (contrast === undefined || contrast === null || score - contrast >= margin) return [box]
        return otherwise === 'drop' ? [] : [byName(box, image)]
      })
  },
})

/** The box for the name in its phrase; as it is where the phrase has no other words. */
function byName(box: Candidate, image: FilterImage): Candidate {
  const span = nameSpan(phraseOf(image, box))
  return span ? { ...box, relabelled: { rule: contrast.name, ...span } } : box
}

/**
 * Where the name in a phrase stands in the caption, without colours, sizes and places; undefined where it has
 * none of them.
 */
export function nameSpan({ text, start, head }: Phrase): { start: number; end: number } | undefined {
  const bare = bareName(text, head)
  return bare && { start: start + bare.span[0], end: start + bare.span[1] }
}
