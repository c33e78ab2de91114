/** Average precision as pycocotools computes it (COCOeval, iouType "bbox"), number for number. */
import {
  boxTable,
  type Detection,
  type DetectionTable,
  detectionTable,
  foundTable,
  placesOf,
} from './box-table.js'
import { areaRanges, eachCategory, iouThresholds, type MatchedCategory } from './each-category.js'
import { recallPoints, sumOfPrecisions, truePositivesNeeded } from './precision-curve.js'

export interface GroundTruth {
  readonly image: number
  readonly category: number
  /** x, y, width, height. */
  readonly bbox: readonly [number, number, number, number]
  readonly area: number
  readonly iscrowd: boolean
  /** Whether it need not be found though it is no crowd: a detection that matches it counts neither way. */
  readonly ignore?: boolean
  /**
   * Whether it is annotation 0 of its file: pycocotools and lvis-api keep the id of the match of a detection,
   * and take 0 for none. The box is used up, the detection counts as one that matches nothing.
   */
  readonly idZero?: boolean
}

/** The twelve numbers of COCO's summary, 0 to 1; -1 where there was nothing to find. */
export interface CocoSummary {
  readonly ap: number
  readonly ap50: number
  readonly ap75: number
  readonly ap_small: number
  readonly ap_medium: number
  readonly ap_large: number
  readonly ar1: number
  readonly ar10: number
  readonly ar100: number
  readonly ar_small: number
  readonly ar_medium: number
  readonly ar_large: number
}

/** How many detections of one category count in a picture, for each average recall. */
const detectionLimits = [1, 10, 100] as const
export const maxDetections = detectionLimits[2]

/**
 * COCO average precision and recall.
 *
 * @param truth boxes of all images, in the order of the annotations; crowds are matched by any number of
 * detections and count for none
 * @param detections of equal scores the earlier one counts first, and NaN last
 */
export function cocoAp(truth: readonly GroundTruth[], detections: Iterable<Detection>): CocoSummary {
  const sums = new Sums()
  matchAsCoco(truth, detectionTable(detections), (matched, rank) => sums.add(matched, rank))
  return sums.summary()
}

/**
 * Matches detections as COCO does and tells of each category that has something to find, in each range of
 * areas.
 *
 * @param tell `rank` is the place of each detection among those of its picture and category; from
 * `maxDetections` on it does not count
 */
export function matchAsCoco(
  truth: readonly GroundTruth[],
  detections: DetectionTable,
  tell: (matched: MatchedCategory, rank: Uint16Array) => void,
): void {
  const categories = placesOf(truth.map(({ category }) => category))
  const imageIds = new Set(truth.map(({ image }) => image))
  for (const image of detections.columns().image) imageIds.add(image)
  const images = placesOf(imageIds)
  const iscrowd = Uint8Array.from(truth, (box) => (box.iscrowd ? 1 : 0))
  const ignore = Uint8Array.from(truth, (box) => (box.iscrowd || box.ignore ? 1 : 0))
  const gold = {
    ...boxTable(truth, images, categories),
    iscrowd,
    ignore,
    idZero: idZeros(truth),
  }
  const found = foundTable(detections, images, categories)
  const rank = new Uint16Array(found.length)
  const options = { images: images.size, categories: categories.size, maxDetections }
  eachCategory(gold, found, rank, options, (matched) => tell(matched, rank))
}

/** 1 for boxes that are annotation 0. */
export const idZeros = (boxes: readonly Pick<GroundTruth, 'idZero'>[]): Uint8Array =>
  Uint8Array.from(boxes, ({ idZero }) => (idZero ? 1 : 0))

/** Sums over categories of precisions [area, threshold] and recalls [area, detection limit]. */
class Sums {
  readonly #precisions = areaRanges.map(() => new Float64Array(iouThresholds.length))
  readonly #recalls = areaRanges.map(() => new Float64Array(detectionLimits.length))
  readonly #categories = new Int32Array(areaRanges.length)

  add({ range, ranked, outcome, positives }: MatchedCategory, rank: Uint16Array): void {
    const needed = truePositivesNeeded(positives)
    const falsePositivesBefore = new Int32Array(ranked.length)
    const scratch = new Float64Array(ranked.length)
    this.#categories[range]!++
    for (let t = 0; t < iouThresholds.length; t++) {
      let truePositives = 0
      let falsePositives = 0
      let truePositives1 = 0
      let truePositives10 = 0
      for (const index of ranked) {
        if (rank[index]! >= maxDetections || (outcome.ignored[index]! >> t) & 1) continue
        if ((outcome.matched[index]! >> t) & 1) {
          falsePositivesBefore[truePositives++] = falsePositives
          if (rank[index]! < detectionLimits[0]) truePositives1++
          if (rank[index]! < detectionLimits[1]) truePositives10++
        } else falsePositives++
      }
      this.#precisions[range]![t]! += sumOfPrecisions(falsePositivesBefore, truePositives, needed, scratch)
      this.#recalls[range]![0]! += truePositives1 / positives
      this.#recalls[range]![1]! += truePositives10 / positives
      this.#recalls[range]![2]! += truePositives / positives
    }
  }

  summary(): CocoSummary {
    const mean = (sum: number, range: number, each: number) =>
      this.#categories[range] === 0 ? -1 : sum / (this.#categories[range]! * each)
    const precision = (range: number) =>
      mean(
        this.#precisions[range]!.reduce((sum, value) => sum + value, 0),
        range,
        iouThresholds.length * recallPoints,
      )
    const precisionAt = (t: number) => mean(this.#precisions[0]![t]!, 0, recallPoints)
    const recall = (range: number, at: number) =>
      mean(this.#recalls[range]![at]!, range, iouThresholds.length)
    return {
      ap: precision(0),
      ap50: precisionAt(0),
      ap75: precisionAt(5),
      ap_small: precision(1),
      ap_medium: precision(2),
      ap_large: precision(3),
      ar1: recall(0, 0),
      ar10: recall(0, 1),
      ar100: recall(0, 2),
      ar_small: recall(1, 2),
      ar_medium: recall(2, 2),
      ar_large: recall(3, 2),
    }
  }
}
