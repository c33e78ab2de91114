import { z } from 'zod'
import { filterRule } from '../rule/filter-rule.js'
import { share } from '../rule/parameters.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Keeps a caption's boxes where the share of its phrases that have one is between `min` and `max`
 * (Data-Juicer's phrase_grounding_recall_filter): a caption of which little is found does not tell of its
 * picture.
 *
 * The same words count once, in whatever case and wherever they stand. Phrases are told apart by their place
 * in the caption. (Data-Juicer keeps them in a set of strings, whose order, and with it the boxes, differs
 * between runs.)
 */
export const phraseRecall = filterRule({
  name: 'phrase_recall',
  schema: z
    .strictObject({
      rule: z.literal('phrase_recall'),
      min: share.default(0.1).describe("share of a caption's phrases that must have a box"),
      max: share.default(1).describe("share of a caption's phrases that may have a box"),
    })
    .refine(({ min, max }) => min <= max, { error: 'min is above max: nothing would be kept' })
    .describe("keeps a caption's boxes where enough of its phrases have one"),
  looksAt: 'all',
  rescores: false,
  reads: [],
  asks: null,
  create({ min, max }) {
    return (candidates, image) => {
      const found = new Set(candidates.map(({ phrase }) => phrase))
      const words = new Map<number, Map<string, boolean>>()
      image.phrases.forEach(({ caption, text }, index) => {
        const captionWords = words.get(caption) ?? new Map<string, boolean>()
        words.set(caption, captionWords)
        const word = text.toLowerCase()
        captionWords.set(word, found.has(index) || captionWords.get(word) === true)
      })
      const fits = new Map(
        [...words].map(([caption, captionWords]) => {
          const recall = [...captionWords.values()].filter(Boolean).length / captionWords.size
          return [caption, recall >= min && recall <= max]
        }),
      )
      return candidates.filter((box) => fits.get(phraseOf(image, box).caption))
    }
  },
})
