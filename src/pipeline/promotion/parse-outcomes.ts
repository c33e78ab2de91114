import { z } from 'zod'
import { firstIssue, inWords } from '../../base/schema-words.js'
import type { PictureOutcomes } from '../../evaluate/picture-outcomes.js'

/** No set has more pictures, and an array of a number for each would not fit in memory. */
const mostImages = 100_000_000

const count = z.int().nonnegative()
const counts = z.array(count)
const rows = z.array(counts)

const schema = z
  .object({
    images: count.max(mostImages),
    phrases: z.object({ image: counts, rank: z.array(z.int().min(-1)) }),
    categories: z.array(
      z.object({
        truths: counts,
        image: counts,
        score: z.array(z.number()),
        matched: counts,
        ignored: counts,
      }),
    ),
    pairs: z.object({
      truePresent: counts,
      falseAbsent: counts,
      falsePresent: counts,
      trueAbsent: counts,
      matched: rows,
      missed: rows,
      wrongOfPresent: rows,
    }),
  })
  .refine(({ images, phrases, categories }) => {
    const places = [phrases.image, ...categories.flatMap(({ truths, image }) => [truths, image])]
    return places.every((list) => list.every((place) => place < images))
  }, 'a picture is named that the set does not have')
  .refine(
    ({ images, phrases, categories, pairs }) =>
      phrases.rank.length === phrases.image.length &&
      categories.every(({ image, score, matched, ignored }) =>
        [score, matched, ignored].every(({ length }) => length === image.length),
      ) &&
      Object.values(pairs).every(({ length }) => length === images),
    'lists that belong together are of different lengths',
  )

/** The outcomes that a file of a run holds, or in words why they are none. */
export function parseOutcomes(value: unknown): PictureOutcomes | string {
  const { error } = schema.safeParse(value, inWords)
  return error ? firstIssue(error) : (value as PictureOutcomes)
}
