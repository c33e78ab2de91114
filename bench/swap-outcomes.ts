import type { Random } from '../src/base/random.js'
import type { PictureOutcomes } from '../src/evaluate/picture-outcomes.js'

/**
 * Swaps the answers of two models on pictures drawn at random: of the two that come out neither is the better
 * one, whatever the two that went in.
 */
export function swapOutcomes(
  a: PictureOutcomes,
  b: PictureOutcomes,
  draw: Random,
): readonly [PictureOutcomes, PictureOutcomes] {
  const isSwapped = Array.from({ length: a.images }, () => draw.next() < 0.5)
  return [mixed(a, b, isSwapped), mixed(b, a, isSwapped)]
}

function mixed(own: PictureOutcomes, other: PictureOutcomes, isSwapped: readonly boolean[]): PictureOutcomes {
  return {
    images: own.images,
    phrases: {
      image: own.phrases.image,
      rank: own.phrases.rank.map((rank, at) =>
        isSwapped[own.phrases.image[at]!] ? other.phrases.rank[at]! : rank,
      ),
    },
    categories: own.categories.map((category, index) => {
      const rows = [category, other.categories[index]!].flatMap(({ image, score, matched, ignored }, which) =>
        image.flatMap((at, place) =>
          isSwapped[at] === (which === 1)
            ? [{ at, score: score[place]!, matched: matched[place]!, ignored: ignored[place]! }]
            : [],
        ),
      )
      rows.sort((x, y) => y.score - x.score)
      return {
        truths: category.truths,
        image: rows.map(({ at }) => at),
        score: rows.map(({ score }) => score),
        matched: rows.map(({ matched }) => matched),
        ignored: rows.map(({ ignored }) => ignored),
      }
    }),
    pairs: Object.fromEntries(
      Object.entries(own.pairs).map(([key, values]) => [
        key,
        (values as readonly unknown[]).map((value, at) =>
          isSwapped[at] ? other.pairs[key as keyof typeof own.pairs][at] : value,
        ),
      ]),
    ) as unknown as PictureOutcomes['pairs'],
  }
}
