import { type Detection, detectionTable } from './box-table.js'
import { countPairs } from './cg-f1.js'
import type { GroundTruth } from './coco-ap.js'
import { addCounts, cgF1Of, noPairs, type PairCounts } from './pair-counts.js'

/** What is known of the categories of a picture. Of one that is in none of these nothing is known. */
export interface KnownCategories {
  /** Whether every category that has no box there is absent. */
  readonly exhaustive: boolean
  /** Categories that are known to be absent. */
  readonly absent: readonly number[]
  /** Categories of which the picture may show more than is boxed: they count neither way. */
  readonly partial: readonly number[]
}

/** How well a model says what is in a picture and what is not, and finds what is. */
export interface PresenceScores {
  /** cgF1, pmF1 and IL_MCC of SAM 3 over pairs of picture and category; -1 where there are no pairs. */
  readonly cgf1: number
  readonly pmf1: number
  readonly il_mcc: number
  /** The share of the pairs whose thing is absent that get a box; -1 where nothing is absent. */
  readonly false_presence: number
}

/**
 * Scores detections over all pairs of a picture and a category of which is known whether the one shows the
 * other: `scoresOfCounts` of `presenceCounts`.
 */
export function presenceScores(...all: Parameters<typeof presenceCounts>): PresenceScores {
  return scoresOfCounts([...presenceCounts(...all).values()])
}

/** The scores of pictures that were counted. */
export function scoresOfCounts(pictures: readonly PairCounts[]): PresenceScores {
  const counts = noPairs()
  for (const picture of pictures) addCounts(counts, picture, 1)
  const { truePresent, falseAbsent, falsePresent, trueAbsent } = counts
  const absent = falsePresent + trueAbsent
  if (truePresent + falseAbsent + absent === 0) return { cgf1: -1, pmf1: -1, il_mcc: -1, false_presence: -1 }
  const { cgf1, pmf1, il_mcc } = cgF1Of(counts)
  return { cgf1, pmf1, il_mcc, false_presence: absent === 0 ? -1 : falsePresent / absent }
}

/**
 * Counts the pairs of each picture and a category of which is known whether the one shows the other. Only
 * boxes of at least the confidence say that it does.
 *
 * @param pictures what is known, by the picture's id
 * @param categories ids of those that count
 * @param truth a picture and category with a crowd or an ignored box among them counts neither way, as in SA-Co, where such
 *   pairs are not exhaustive
 * @returns by the picture's id, of every picture
 */
export function presenceCounts(
  pictures: ReadonlyMap<number, KnownCategories>,
  categories: readonly number[],
  truth: readonly GroundTruth[],
  detections: Iterable<Detection>,
  confidence: number,
): Map<number, PairCounts> {
  const pairs = judgedPairs(pictures, categories, truth)
  const gold = {
    pair: Int32Array.from(truth, ({ image, category }) => pairs.placeOf(image, category)),
    bbox: Float64Array.from(truth.flatMap(({ bbox }) => bbox)),
    iscrowd: new Uint8Array(truth.length),
  }
  const { image, category, bbox, score } = detectionTable(detections).columns()
  const found = {
    pair: Int32Array.from(score, (own, at) =>
      own >= confidence ? pairs.placeOf(image[at]!, category[at]!) : -1,
    ),
    bbox,
    scores: score,
  }
  const counted = Array.from(pictures, noPairs)
  const met = pairs.rowsMet()
  countPairs(met.length, [gold], found, confidence, (pair) => counted[met[pair]!]!)
  // Pairs with neither boxes nor detections have got no place.
  pairs.counts().forEach((all, row) => {
    counted[row]!.trueAbsent += all
  })
  for (const row of met) counted[row]!.trueAbsent--
  return new Map([...pictures.keys()].map((id, row) => [id, counted[row]!]))
}

/** Numbers the pairs that count, in the order in which they are met. */
function judgedPairs(
  pictures: ReadonlyMap<number, KnownCategories>,
  categories: readonly number[],
  truth: readonly GroundTruth[],
) {
  const columnOf = new Map(categories.map((id, column) => [id, column]))
  const rows = new Map([...pictures.keys()].map((id, row) => [id, row]))
  const pairOf = (image: number, category: number) => {
    const row = rows.get(image)
    const column = columnOf.get(category)
    return row === undefined || column === undefined ? -1 : row * categories.length + column
  }
  const rowOf = (pair: number) => Math.floor(pair / categories.length)
  const partial = new Set<number>()
  const known = new Set<number>()
  for (const [id, { absent, partial: more }] of pictures) {
    for (const category of more) partial.add(pairOf(id, category))
    for (const category of absent) known.add(pairOf(id, category))
  }
  for (const { image, category, iscrowd, ignore } of truth)
    (iscrowd || ignore ? partial : known).add(pairOf(image, category))
  const exhaustive = [...pictures.values()].map((picture) => picture.exhaustive)
  const isJudged = (pair: number) =>
    pair >= 0 && !partial.has(pair) && (known.has(pair) || exhaustive[rowOf(pair)] === true)
  const places = new Map<number, number>()
  return {
    /** The place of the pair of a box among those met; -1 where it does not count. */
    placeOf(image: number, category: number): number {
      const pair = pairOf(image, category)
      if (!isJudged(pair)) return -1
      const place = places.get(pair) ?? places.size
      places.set(pair, place)
      return place
    },
    /** The picture of each pair that was met, by its place among all. */
    rowsMet: (): number[] => [...places.keys()].map(rowOf),
    /** How many pairs of each picture count. */
    counts(): Int32Array {
      const counts = Int32Array.from(exhaustive, (isOfAll) => (isOfAll ? categories.length : 0))
      for (const pair of partial) if (pair >= 0 && exhaustive[rowOf(pair)]) counts[rowOf(pair)]!--
      for (const pair of known)
        if (pair >= 0 && !exhaustive[rowOf(pair)] && !partial.has(pair)) counts[rowOf(pair)]!++
      return counts
    },
  }
}
