import { cheapestAssignment } from '../boxes/cheapest-assignment.js'
import { sharedArea } from './box-table.js'
import { iouThresholds } from './each-category.js'
import {
  type CgF1Summary,
  cgF1Of,
  f1Of,
  meanOverThresholds,
  noPairs,
  type PairCounts,
  shareOf,
} from './pair-counts.js'
import { type Grouped, grouped, upTo } from './stable-order.js'

/** Boxes of pairs of a picture and a phrase, as columns; their order is that of the files. */
export interface PairBoxes {
  /** The pair of each box, from 0; what is below 0 is left out. */
  readonly pair: Int32Array
  /** x, y, width, height of each box, `boxes * 4` numbers, in pixels or in shares, as those compared to. */
  readonly bbox: Float64Array
}

/** One annotator's boxes of all pairs. A pair without any is one whose thing is not in the picture. */
export interface PairTruth extends PairBoxes {
  /** 1 for a box around several things: it is left out, and no prediction is excused by it. */
  readonly iscrowd: Uint8Array
}

export interface PairPredictions extends PairBoxes {
  /** Finite. */
  readonly scores: Float64Array
}

/** The confidence at which SAM 3 is measured. */
export const officialConfidence = 0.5

/**
 * SAM 3's cgF1, pmF1 and IL_MCC for boxes, number for number as `cgf1_eval.py` of facebookresearch/sam3 gives
 * them (`iou_type="bbox"`). Predictions of at least the confidence are matched to the boxes of their pair so
 * that the sum of IoUs is largest; a match counts at every threshold that its IoU reaches.
 *
 * @param pairs how many there are; those without boxes and without predictions count as well
 * @param truths the boxes of one or several annotators: each pair is scored by the one that suits the
 * predictions best
 */
export function cgF1(
  pairs: number,
  truths: readonly PairTruth[],
  predictions: PairPredictions,
  confidence = officialConfidence,
): CgF1Summary {
  const counts = noPairs()
  countPairs(pairs, truths, predictions, confidence, () => counts)
  return cgF1Of(counts)
}

/**
 * Counts every pair where it belongs, so that the metric of any part of them follows by `cgF1Of`.
 *
 * @param countsOf gives for a pair the sums that it is added to
 */
export function countPairs(
  pairs: number,
  truths: readonly PairTruth[],
  { pair, bbox, scores }: PairPredictions,
  confidence: number,
  countsOf: (pair: number) => PairCounts,
): void {
  if (truths.length === 0) throw new Error('there are no truths to count by')
  const confident = pair.map((own, index) => (scores[index]! >= confidence ? own : -1))
  const found = grouped(upTo(pair.length), confident, pairs)
  const golds = truths.map((truth): Gold => {
    const counted = truth.pair.map((own, index) => (truth.iscrowd[index] ? -1 : own))
    return { bbox: truth.bbox, ...grouped(upTo(counted.length), counted, pairs) }
  })
  const matcher = new PairMatcher(bbox, found)
  for (let at = 0; at < pairs; at++) matcher.count(golds, at, countsOf(at))
}

interface Gold extends Grouped {
  readonly bbox: Float64Array
}

/** How a pair went with one truth. */
interface PairScore {
  boxes: number
  /** Predictions whose match reaches each threshold. */
  readonly matched: Int32Array
  readonly f1: Float64Array
}

const thresholds = iouThresholds.length
const emptyScore = (): PairScore => ({
  boxes: 0,
  matched: new Int32Array(thresholds),
  f1: new Float64Array(thresholds),
})

/** Matches pair after pair; what it needs for that is made once. */
class PairMatcher {
  #best = emptyScore()
  #current = emptyScore()
  #overlaps = new Float64Array(64)

  constructor(
    private readonly bbox: Float64Array,
    private readonly found: Grouped,
  ) {}

  count(golds: readonly Gold[], pair: number, counts: PairCounts): void {
    const predictions = this.found.starts[pair + 1]! - this.found.starts[pair]!
    this.#chooseTruth(golds, pair, predictions)
    const { boxes, matched, f1 } = this.#best
    if (boxes === 0 && predictions === 0) counts.trueAbsent++
    else if (boxes === 0) counts.falsePresent++
    else if (predictions === 0) counts.falseAbsent++
    else counts.truePresent++
    if (boxes === 0 && predictions === 0) return
    for (let t = 0; t < thresholds; t++) {
      const wrong = predictions - matched[t]!
      counts.matched[t]! += matched[t]!
      counts.wrong[t]! += wrong
      counts.missed[t]! += boxes - matched[t]!
      if (boxes > 0) counts.wrongOfPresent[t]! += wrong
      if (boxes > 0 && predictions > 0) counts.f1[t]! += f1[t]!
    }
  }

  /**
   * Leaves in `#best` the score by the truth that suits best: nothing found where nothing is, else the
   * largest mean F1, of equals the first.
   */
  #chooseTruth(golds: readonly Gold[], pair: number, predictions: number): void {
    let bestMean = 0
    for (let at = 0; at < golds.length; at++) {
      const mean = this.#score(golds[at]!, pair, predictions, this.#current)
      const isPerfect = this.#current.boxes === 0 && predictions === 0
      if (at > 0 && !isPerfect && mean <= bestMean) continue
      ;[this.#best, this.#current] = [this.#current, this.#best]
      bestMean = mean
      if (isPerfect) return
    }
  }

  /** @returns the mean F1 over the thresholds */
  #score(gold: Gold, pair: number, predictions: number, into: PairScore): number {
    const start = gold.starts[pair]!
    const boxes = gold.starts[pair + 1]! - start
    into.boxes = boxes
    into.matched.fill(0)
    if (boxes === 0 || predictions === 0) {
      into.f1.fill(0)
      return 0
    }
    const isContested = this.#measure(gold, pair)
    if (isContested) this.#assign(predictions, boxes, into)
    // No box overlaps two predictions, nor a prediction two boxes: whoever overlaps is matched.
    else for (let at = 0; at < predictions * boxes; at++) countMatch(this.#overlaps[at]!, into.matched)
    for (let t = 0; t < thresholds; t++) {
      const matched = into.matched[t]!
      const precision = shareOf(matched, predictions - matched, 1e-4)
      const recall = shareOf(matched, boxes - matched, 1e-4)
      into.f1[t] = f1Of(precision, recall, 1e-4)
    }
    return meanOverThresholds(into.f1)
  }

  /**
   * Writes IoUs [predictions, boxes] into `#overlaps`.
   *
   * @returns whether some prediction overlaps several boxes, or some box several predictions
   */
  #measure(gold: Gold, pair: number): boolean {
    const first = this.found.starts[pair]!
    const predictions = this.found.starts[pair + 1]! - first
    const start = gold.starts[pair]!
    const boxes = gold.starts[pair + 1]! - start
    if (this.#overlaps.length < predictions * boxes)
      this.#overlaps = new Float64Array(2 * predictions * boxes)
    let isContested = false
    for (let d = 0; d < predictions; d++) {
      const prediction = this.found.order[first + d]!
      const area = this.bbox[4 * prediction + 2]! * this.bbox[4 * prediction + 3]!
      let overlapped = 0
      for (let g = 0; g < boxes; g++) {
        const box = gold.order[start + g]!
        const shared = sharedArea(this.bbox, prediction, gold.bbox, box)
        const own = gold.bbox[4 * box + 2]! * gold.bbox[4 * box + 3]!
        // The order of the operations is that of pycocotools' maskApi.c.
        this.#overlaps[d * boxes + g] = shared > 0 ? shared / (area + own - shared) : 0
        if (shared > 0) overlapped++
      }
      isContested ||= overlapped > 1
    }
    for (let g = 0; g < boxes && !isContested; g++) {
      let overlapped = 0
      for (let d = 0; d < predictions; d++) if (this.#overlaps[d * boxes + g]! > 0) overlapped++
      isContested = overlapped > 1
    }
    return isContested
  }

  /** Several assignments may have the same sum: the one that counts is that of SciPy. */
  #assign(predictions: number, boxes: number, { matched }: PairScore): void {
    const costs = new Float64Array(predictions * boxes)
    for (let at = 0; at < costs.length; at++) costs[at] = -this.#overlaps[at]!
    const assigned = cheapestAssignment(costs, predictions, boxes)
    for (let d = 0; d < predictions; d++)
      if (assigned[d]! >= 0) countMatch(this.#overlaps[d * boxes + assigned[d]!]!, matched)
  }
}

function countMatch(iou: number, matched: Int32Array): void {
  for (let t = 0; t < thresholds && iou >= iouThresholds[t]!; t++) matched[t]!++
}
