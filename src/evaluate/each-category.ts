import type { BoxTable, FoundTable } from './box-table.js'
import { type Outcomes, outside, PairMatcher, type Truth } from './match-pair.js'
import { descending, type Grouped, grouped, sortDescending, upTo } from './stable-order.js'

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

/** Boxes by category, those of each by image, in their order. */
export const byPair = ({ length, image, category }: BoxTable, images: number, categories: number): Grouped =>
  grouped(grouped(upTo(length), image, images).order, category, categories)

/**
 * Matches all detections and tells of every category that has something to find, in each range of areas. Ties
 * of scores go by image, then as they came: the order in which pycocotools and lvis concatenate.
 *
 * @param rank written: place of each detection among those of its image and category, no more than
 * `maxDetections`
 */
export function eachCategory(
  gold: Truth,
  found: FoundTable,
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
  const foundPairs = byPair(found, images, categories)
  const goldPairs = byPair(gold, images, categories)
  const matcher = new PairMatcher(gold, found, iouThresholds, outcomes)
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
      while (foundAt < foundEnd && found.image[foundPairs.order[foundAt]!] === image) foundAt++
      const ofPair = foundPairs.order.subarray(foundStart, foundAt)
      sortDescending(found.score, ofPair)
      for (let place = 0; place < ofPair.length; place++)
        rank[ofPair[place]!] = Math.min(maxDetections, place)
      while (goldAt < goldEnd && gold.image[goldPairs.order[goldAt]!]! < image) goldAt++
      const goldStart = goldAt
      while (goldAt < goldEnd && gold.image[goldPairs.order[goldAt]!] === image) goldAt++
      const counted = ofPair.subarray(0, maxDetections)
      if (isUnjudged?.(image, category)) {
        for (const { ignored } of outcomes) {
          for (const index of counted) ignored[index] = every
        }
      }
      matcher.match(goldPairs.order.subarray(goldStart, goldAt), counted)
    }
    const own = foundPairs.order.subarray(foundPairs.starts[category], foundEnd)
    const ranked = descending(found.score, own)
    outcomes.forEach((outcome, range) => {
      const truths = goldPairs.order
        .subarray(goldPairs.starts[category], goldEnd)
        .filter((index) => !gold.ignore[index] && !outside(gold.area[index]!, outcome))
      const { length: positives } = truths
      if (positives > 0) tell({ category, range, ranked, outcome, positives, truths })
    })
  }
}
