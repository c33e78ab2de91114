/** Average precision as the lvis package computes it (LVISEval, iou_type "bbox"), number for number. */
import {
  boxTable,
  type Detection,
  detectionTable,
  type FoundTable,
  foundTable,
  placesOf,
  rowsOf,
} from './box-table.js'
import { idZeros } from './coco-ap.js'
import { byPair, eachCategory, iouThresholds, type MatchedCategory } from './each-category.js'
import { recallPoints, sumOfPrecisions, truePositivesNeeded } from './precision-curve.js'
import { descending, grouped, upTo } from './stable-order.js'

/** How many training pictures show a category: 1 to 10, 11 to 100, more. */
export type Frequency = 'r' | 'c' | 'f'

/** What LVIS' annotations say of boxes, pictures and categories. */
export interface LvisTruth {
  readonly boxes: readonly LvisBox[]
  readonly images: readonly LvisImage[]
  readonly categories: readonly { readonly id: number; readonly frequency: Frequency }[]
}

export interface LvisBox {
  readonly image: number
  readonly category: number
  /** x, y, width, height. */
  readonly bbox: readonly [number, number, number, number]
  readonly area: number
  /** Need not be found. */
  readonly ignore?: boolean
  /** As that of COCO's `GroundTruth`. */
  readonly idZero?: boolean
}

/** LVIS is federated: of most categories nobody has looked whether a picture shows them. */
export interface LvisImage {
  readonly id: number
  /** Categories that the picture does not show. */
  readonly negative: readonly number[]
  /** Categories of which it shows more than is annotated: other detections of them are no mistakes. */
  readonly notExhaustive: readonly number[]
}

/** The thirteen numbers of LVIS' summary, 0 to 1; -1 where there was nothing to find. */
export interface LvisSummary {
  readonly ap: number
  readonly ap50: number
  readonly ap75: number
  readonly ap_small: number
  readonly ap_medium: number
  readonly ap_large: number
  readonly ap_rare: number
  readonly ap_common: number
  readonly ap_frequent: number
  readonly ar: number
  readonly ar_small: number
  readonly ar_medium: number
  readonly ar_large: number
}

export interface LvisOptions {
  /** Detections of a picture that count, the best of all its categories: LVIS' own 300. */
  readonly mostOfImage?: number
  /** Detections of a category over all pictures that count: Fixed AP's. */
  readonly mostOfCategory?: number
}

/** The limits of LVIS' own AP. */
export const lvisLimits: LvisOptions = { mostOfImage: 300 }

/**
 * The limits of Fixed AP (Dave et al. 2021): 10,000 detections of a category over the whole set and no limit
 * for a picture, so that categories do not compete for places. GLIP's LVIS numbers are Fixed AP.
 */
export const fixedApLimits: LvisOptions = { mostOfCategory: 10_000 }

/**
 * LVIS average precision and recall.
 *
 * @param detections of equal scores the earlier one counts first, and NaN last. Those of categories that a
 * picture neither shows nor is known not to show count neither way, nor do detections without area
 */
export function lvisAp(
  { boxes, images: pictures, categories: named }: LvisTruth,
  detections: Iterable<Detection>,
  options: LvisOptions = lvisLimits,
): LvisSummary {
  const images = placesOf(pictures.map(({ id }) => id))
  const categories = placesOf(named.map(({ id }) => id))
  const places = categories.size
  /** A picture and a category as one number; -1 for what LVIS does not have. */
  const pairOf = (image: number, category: number) => {
    const row = images.get(image)
    const column = categories.get(category)
    return row === undefined || column === undefined ? -1 : row * places + column
  }
  // Pairs of which is known whether the picture shows the category.
  const judged = new Set(boxes.map(({ image, category }) => pairOf(image, category)))
  const unjudged = new Set<number>()
  for (const { id, negative, notExhaustive } of pictures) {
    for (const category of negative) judged.add(pairOf(id, category))
    for (const category of notExhaustive) unjudged.add(pairOf(id, category))
  }
  judged.delete(-1)
  const all = foundTable(detectionTable(detections), images, categories)
  leaveOutWeak(all.image, images.size, all, options.mostOfImage)
  leaveOutWeak(all.category, places, all, options.mostOfCategory)
  for (let index = 0; index < all.length; index++) {
    const isJudged = judged.has(all.image[index]! * places + all.category[index]!)
    if (!isJudged || !hasArea(all.area[index]!)) all.category[index] = -1
  }
  // What is matched together lies together: to gather millions from all over takes longer than to match them.
  const found = rowsOf(all, byPair(all, images.size, places).order)
  const gold = {
    ...boxTable(boxes, images, categories),
    iscrowd: new Uint8Array(boxes.length),
    ignore: Uint8Array.from(boxes, ({ ignore }) => (ignore ? 1 : 0)),
    idZero: idZeros(boxes),
  }
  const frequencies: Frequency[] = []
  for (const { id, frequency } of named) frequencies[categories.get(id) as number] = frequency
  const sums = new LvisSums(frequencies)
  eachCategory(
    gold,
    found,
    new Uint16Array(found.length),
    {
      images: images.size,
      categories: places,
      maxDetections: Number.POSITIVE_INFINITY,
      isUnjudged: (image, category) => unjudged.has(image * places + category),
    },
    (matched) => sums.add(matched),
  )
  return sums.summary()
}

/** lvis-api takes annotations and detections by their area, both bounds left out. */
export const hasArea = (area: number) => area > 0 && area < Number.POSITIVE_INFINITY

/** Makes all but the best detections of each group, a picture or a category, ones of neither. */
function leaveOutWeak(
  groupOf: Int32Array,
  groups: number,
  { image, category, score }: FoundTable,
  limit = Number.POSITIVE_INFINITY,
): void {
  const { order, starts } = grouped(upTo(groupOf.length), groupOf, groups)
  for (let group = 0; group < groups; group++) {
    const own = order.subarray(starts[group], starts[group + 1])
    if (own.length <= limit) continue
    for (const index of descending(score, own).subarray(limit)) {
      image[index] = -1
      category[index] = -1
    }
  }
}

interface Sum {
  /** By threshold, over the 101 recall points. */
  readonly precisions: Float64Array
  recall: number
  categories: number
}

class LvisSums {
  /** All areas, small, medium and large, as `areaRanges`. */
  readonly #ranges = [emptySum(), emptySum(), emptySum(), emptySum()] as const
  readonly #frequencies: Readonly<Record<Frequency, Sum>> = { r: emptySum(), c: emptySum(), f: emptySum() }

  constructor(private readonly frequencyOf: readonly Frequency[]) {}

  add({ category, range, ranked, outcome, positives }: MatchedCategory): void {
    const needed = truePositivesNeeded(positives)
    // Most detections match nothing at any threshold: they are counted once for all, before each of the others.
    const others = ranked.filter((index) => outcome.matched[index] !== 0 || outcome.ignored[index] !== 0)
    const wrongBefore = new Int32Array(others.length)
    for (let at = 0, other = 0; other < others.length; at++) {
      if (ranked[at] === others[other]) wrongBefore[other] = at - other++
    }
    const falsePositivesBefore = new Int32Array(others.length)
    const scratch = new Float64Array(others.length)
    const into = [this.#ranges[range]!]
    if (range === 0) into.push(this.#frequencies[this.frequencyOf[category]!])
    for (const sum of into) sum.categories++
    for (let t = 0; t < iouThresholds.length; t++) {
      let truePositives = 0
      let falsePositives = 0
      for (let other = 0; other < others.length; other++) {
        const index = others[other]!
        if ((outcome.ignored[index]! >> t) & 1) continue
        if ((outcome.matched[index]! >> t) & 1)
          falsePositivesBefore[truePositives++] = wrongBefore[other]! + falsePositives
        else falsePositives++
      }
      const precision = sumOfPrecisions(falsePositivesBefore, truePositives, needed, scratch)
      for (const sum of into) {
        sum.precisions[t]! += precision
        sum.recall += truePositives / positives
      }
    }
  }

  summary(): LvisSummary {
    const [all, small, medium, large] = this.#ranges
    const { r, c, f } = this.#frequencies
    return {
      ap: precisionOf(all),
      ap50: precisionOf(all, 0),
      ap75: precisionOf(all, 5),
      ap_small: precisionOf(small),
      ap_medium: precisionOf(medium),
      ap_large: precisionOf(large),
      ap_rare: precisionOf(r),
      ap_common: precisionOf(c),
      ap_frequent: precisionOf(f),
      ar: recallOf(all),
      ar_small: recallOf(small),
      ar_medium: recallOf(medium),
      ar_large: recallOf(large),
    }
  }
}

const emptySum = (): Sum => ({ precisions: new Float64Array(iouThresholds.length), recall: 0, categories: 0 })

/** Mean over categories and recall points, of one threshold or of all. */
function precisionOf({ precisions, categories }: Sum, threshold?: number): number {
  if (categories === 0) return -1
  if (threshold !== undefined) return precisions[threshold]! / (categories * recallPoints)
  return (
    precisions.reduce((sum, value) => sum + value, 0) / (categories * iouThresholds.length * recallPoints)
  )
}

function recallOf({ recall, categories }: Sum): number {
  return categories === 0 ? -1 : recall / (categories * iouThresholds.length)
}
