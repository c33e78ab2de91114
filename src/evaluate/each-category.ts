import type { BoxTable } from './box-table.js'
import { matchPair, type Outcomes, outside, type Truth } from './match-pair.js'
import { descending, grouped, upTo } from './stable-order.js'

/** np.linspace(0.5, 0.95, 10), with its rounding. */
const iouStep = (0.95 - 0.5) / 9
export const iouThresholds: readonly number[] = Array.from({ length: 10 }, (_, index) =>
  index === 9 ? 0.95 : index * iouStep + 0.5,
)
/** All, small, medium, large, in square pixels; limits belong to both sides. */
export const areaRanges = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
] as const

/** One category in one range of areas, all its detections matched. */
export interface MatchedCategory {
  readonly category: number
  /** Index into `areaRanges`. */
  readonly range: number
  /** Its detections, best score first. */
  readonly ranked: Int32Array
  readonly outcome: Outcomes
  /** Boxes to find; more than 0. */
  readonly positives: number
  /** Which boxes these are, in the order of their images. */
  readonly truths: Int32Array
}

export interface MatchOptions {
  readonly images: number
  readonly categories: number
  /**
   * Detections of one category that count in a picture; the weakest others are not matched, and stay in
   * `ranked`.
   */
  readonly maxDetections: number
  /** Whether detections of a picture and category that match nothing count neither way. */
  readonly isUnjudged?: (image: number, category: number) => boolean
}

/**
 * Matches all detections and tells of every category that has something to find, in each range of areas. Ties
 * of scores go by image, then as they came: the order in which pycocotools and lvis concatenate.
 *
 * @param rank written: place of each detection among those of its image and category, no more than
 * `maxDetections`
 */
export function eachCategory(
  gold: Truth,
  found: BoxTable,
  scores: Float64Array,
  rank: Uint16Array,
  { images, categories, maxDetections, isUnjudged }: MatchOptions,
  tell: (matched: MatchedCategory) => void,
): void {
  const outcomes = areaRanges.map(
    ([low, high]): Outcomes => ({
      low,
      high,
      matched: new Uint16Array(found.length),
      ignored: new Uint16Array(found.length),
    }),
  )
  const every = (1 << iouThresholds.length) - 1
  const byImage = grouped(upTo(found.length), found.image, images).order
  const byScore = descending(scores, byImage)
  const ranked = grouped(byScore, found.category, categories)
  const foundPairs = grouped(grouped(byScore, found.image, images).order, found.category, categories)
  const goldPairs = grouped(grouped(upTo(gold.length), gold.image, images).order, gold.category, categories)
  for (let category = 0; category < categories; category++) {
    let foundAt = foundPairs.starts[category]!
    let goldAt = goldPairs.starts[category]!
    const foundEnd = foundPairs.starts[category + 1]!
    const goldEnd = goldPairs.starts[category + 1]!
    // Where there is nothing to find, no detection counts.
    if (goldAt === goldEnd) continue
    while (foundAt < foundEnd) {
      const image = found.image[foundPairs.order[foundAt]!]!
      const foundStart = foundAt
      for (; foundAt < foundEnd && found.image[foundPairs.order[foundAt]!] === image; foundAt++)
        rank[foundPairs.order[foundAt]!] = Math.min(maxDetections, foundAt - foundStart)
      while (goldAt < goldEnd && gold.image[goldPairs.order[goldAt]!]! < image) goldAt++
      const goldStart = goldAt
      while (goldAt < goldEnd && gold.image[goldPairs.order[goldAt]!] === image) goldAt++
      const counted = foundPairs.order.subarray(foundStart, Math.min(foundAt, foundStart + maxDetections))
      if (isUnjudged?.(image, category)) {
        for (const { ignored } of outcomes) {
          for (const index of counted) ignored[index] = every
        }
      }
      matchPair(gold, goldPairs.order.subarray(goldStart, goldAt), found, counted, iouThresholds, outcomes)
    }
    const categoryRanked = ranked.order.subarray(ranked.starts[category], ranked.starts[category + 1])
    outcomes.forEach((outcome, range) => {
      const truths = goldPairs.order
        .subarray(goldPairs.starts[category], goldEnd)
        .filter((index) => !gold.ignore[index] && !outside(gold.area[index]!, outcome))
      const { length: positives } = truths
      if (positives > 0) tell({ category, range, ranked: categoryRanked, outcome, positives, truths })
    })
  }
}
