import { type Detection, detectionTable } from './box-table.js'
import { type GroundTruth, matchAsCoco, maxDetections } from './coco-ap.js'
import { noPairs, type PairCounts } from './pair-counts.js'
import { type PhrasePrediction, rankOf } from './phrase-recall.js'

/** What became of the phrases that have a target. */
export interface PhraseOutcomes {
  /** Place of each one's picture in the set. */
  readonly image: readonly number[]
  /** Place of its first right box, from 0; -1 where none is right. */
  readonly rank: readonly number[]
}

/** What became of the detections of one category, sizes of any kind, best score first. */
export interface CategoryOutcomes {
  /** The picture of each box to find; one at least. */
  readonly truths: readonly number[]
  /** The picture of each detection. */
  readonly image: readonly number[]
  /** To six digits: their order is that of the whole scores. */
  readonly score: readonly number[]
  /** Bit t speaks of COCO's IoU threshold t, 0.5 to 0.95. */
  readonly matched: readonly number[]
  /** The same bits: the detection counts neither way. */
  readonly ignored: readonly number[]
}

/** What SAM 3's cgF1 counts of the pairs of each picture and a category, as in `PairCounts`. */
export interface PairOutcomes {
  readonly truePresent: readonly number[]
  readonly falseAbsent: readonly number[]
  readonly falsePresent: readonly number[]
  readonly trueAbsent: readonly number[]
  /** Of each picture, by IoU threshold. */
  readonly matched: readonly (readonly number[])[]
  readonly missed: readonly (readonly number[])[]
  readonly wrongOfPresent: readonly (readonly number[])[]
}

/**
 * What became of a model's answers, picture by picture: all that a metric needs to be computed over any of
 * the pictures, each as often as one likes, without matching a box again.
 */
export interface PictureOutcomes {
  /** Pictures of the set, in its order. */
  readonly images: number
  readonly phrases: PhraseOutcomes
  readonly categories: readonly CategoryOutcomes[]
  readonly pairs: PairOutcomes
}

/** Outcomes of phrases; each says which picture it is of. */
export function phraseOutcomes(
  phrases: readonly (PhrasePrediction & { readonly image: number })[],
): PhraseOutcomes {
  const counted = phrases.filter(({ targets }) => targets.length > 0)
  return {
    image: counted.map(({ image }) => image),
    rank: counted.map((phrase) => {
      const rank = rankOf(phrase)
      return Number.isFinite(rank) ? rank : -1
    }),
  }
}

/** Outcomes of detections; categories without anything to find have none, as in COCO's AP. */
export function categoryOutcomes(
  truth: readonly GroundTruth[],
  detections: Iterable<Detection>,
): CategoryOutcomes[] {
  const found = detectionTable(detections)
  const { image, score } = found.columns()
  const categories: CategoryOutcomes[] = []
  matchAsCoco(truth, found, ({ range, ranked, truths, outcome }, rank) => {
    if (range !== 0) return
    const counted = [...ranked].filter((index) => rank[index]! < maxDetections)
    categories.push({
      truths: Array.from(truths, (index) => truth[index]!.image),
      image: counted.map((index) => image[index]!),
      score: counted.map((index) => Number(score[index]!.toPrecision(6))),
      matched: counted.map((index) => outcome.matched[index]!),
      ignored: counted.map((index) => outcome.ignored[index]!),
    })
  })
  return categories
}

/** Outcomes of the pairs of each picture, by its place in the set. */
export function pairOutcomes(pictures: ReadonlyMap<number, PairCounts>, images: number): PairOutcomes {
  const counts = Array.from({ length: images }, (_, image) => pictures.get(image) ?? noPairs())
  return {
    truePresent: counts.map(({ truePresent }) => truePresent),
    falseAbsent: counts.map(({ falseAbsent }) => falseAbsent),
    falsePresent: counts.map(({ falsePresent }) => falsePresent),
    trueAbsent: counts.map(({ trueAbsent }) => trueAbsent),
    matched: counts.map(({ matched }) => [...matched]),
    missed: counts.map(({ missed }) => [...missed]),
    wrongOfPresent: counts.map(({ wrongOfPresent }) => [...wrongOfPresent]),
  }
}
