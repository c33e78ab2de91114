import { z } from 'zod'
import type { Phrase } from '../../rows/rows.js'
import { filterRule } from '../rule/filter-rule.js'
import { numberOf } from '../rule/number-of.js'
import { oncePhrase } from '../rule/once-phrase.js'
import { phraseOf } from '../rule/phrase-of.js'

/**
 * Checks boxes against the number that a phrase states: "two dogs" wants two boxes. A phrase with fewer loses
 * all of them with `fewer: drop`, since what is missing would be taught as background; one with more keeps
 * its best with `more: best`. Phrases that say no number are left alone, and so are plain singulars unless
 * `singular` is set: with `true` "a dog" says one, with `noun` "her dog" and "woman" do as well: a detector
 * with a fixed list of labels boxes every man for "a man".
 */
export const number = filterRule({
  name: 'number',
  schema: z
    .strictObject({
      rule: z.literal('number'),
      fewer: z
        .enum(['drop', 'keep'])
        .default('drop')
        .describe('what becomes of phrases with fewer boxes than they say: all are dropped, or kept'),
      more: z
        .enum(['best', 'keep'])
        .default('best')
        .describe('what becomes of phrases with more boxes than they say: the best are kept, or all'),
      singular: z
        .union([z.boolean(), z.literal('noun')])
        .default(false)
        .describe('whether "a dog" says one; noun: "her dog" and "dog" too'),
    })
    .describe('holds the boxes of a phrase against the number that it says: "two dogs" wants two'),
  looksAt: ({ fewer }) => (fewer === 'drop' ? 'all' : 'better'),
  rescores: false,
  reads: [],
  asks: null,
  create({ fewer, more, singular }) {
    return (candidates, image) => {
      const counts = new Map<number, number>()
      for (const { phrase } of candidates) counts.set(phrase, (counts.get(phrase) ?? 0) + 1)
      const places = new Map<number, number>()
      const wantedOf = oncePhrase((phrase) => countOf(phrase, singular))
      return candidates.filter((box) => {
        const { phrase } = box
        const wanted = wantedOf(phraseOf(image, box))
        if (wanted === undefined) return true
        if (fewer === 'drop' && (counts.get(phrase) as number) < wanted) return false
        const place = places.get(phrase) ?? 0
        places.set(phrase, place + 1)
        return more === 'keep' || place < wanted
      })
    }
  },
})

/**
 * The count that the chunker stored; for phrases from elsewhere, such as gold, it is read from their words.
 */
function countOf(phrase: Phrase, singular: boolean | 'noun'): number | undefined {
  const { count, number, text } = phrase
  if (count !== undefined && count !== null) return count > 1 || singular !== false ? count : undefined
  // Where the chunker has looked there is no number: "a group of men" is no one.
  if (number && singular === 'noun') return isOne(phrase) ? 1 : undefined
  return numberOf(text, singular !== false)
}

/** Of a noun in the singular, as people write it for several too: "several horse", "a herd of elephant". */
const isSeveral = /^(several|many|some|few|various|multiple|numerous|other|all|lots)\b|\bof\b/i

/** Whether a phrase without a number is of one thing: "her dog", "woman". Names of categories are of any number. */
const isOne = ({ number, kept, text }: Phrase): boolean =>
  number === 'singular' && kept !== 'category' && !isSeveral.test(text)
