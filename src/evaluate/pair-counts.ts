/** What SAM 3's cgF1 counts over pairs of a picture and a phrase, and the numbers that follow from it. */
import { iouThresholds } from './each-category.js'

/** Sums over pairs. Those of two sets of pairs add up to those of both. */
export interface PairCounts {
  /** Pairs whose thing is in the picture, with a box over the confidence, and without one. */
  truePresent: number
  falseAbsent: number
  /** Pairs whose thing is not in the picture, with a box over the confidence, and without one. */
  falsePresent: number
  trueAbsent: number
  /** By IoU threshold: predictions matched to boxes, those that are not, and boxes that are not found. */
  readonly matched: Float64Array
  readonly wrong: Float64Array
  readonly missed: Float64Array
  /** Of `wrong` what lies in pairs whose thing is in the picture. */
  readonly wrongOfPresent: Float64Array
  /** Sum of the F1 of the pairs of `truePresent`. */
  readonly f1: Float64Array
}

const thresholds = iouThresholds.length

export const noPairs = (): PairCounts => ({
  truePresent: 0,
  falseAbsent: 0,
  falsePresent: 0,
  trueAbsent: 0,
  matched: new Float64Array(thresholds),
  wrong: new Float64Array(thresholds),
  missed: new Float64Array(thresholds),
  wrongOfPresent: new Float64Array(thresholds),
  f1: new Float64Array(thresholds),
})

/** Adds counts, so many times over, to sums. */
export function addCounts(sums: PairCounts, counts: PairCounts, times: number): void {
  sums.truePresent += times * counts.truePresent
  sums.falseAbsent += times * counts.falseAbsent
  sums.falsePresent += times * counts.falsePresent
  sums.trueAbsent += times * counts.trueAbsent
  for (let at = 0; at < thresholds; at++) {
    sums.matched[at]! += times * counts.matched[at]!
    sums.wrong[at]! += times * counts.wrong[at]!
    sums.missed[at]! += times * counts.missed[at]!
    sums.wrongOfPresent[at]! += times * counts.wrongOfPresent[at]!
    sums.f1[at]! += times * counts.f1[at]!
  }
}

/** Numbers over boxes: the mean over IoU thresholds, and at 0.5 and 0.75. */
export type AtThresholds<Name extends string> = {
  readonly [At in Name | `${Name}_50` | `${Name}_75`]: number
}

/**
 * The numbers of the official evaluator, 0 to 1; `il_mcc` and with it cgF1 go down to -1. As there, a number
 * that is a share of nothing is 0, but for `positive_macro_f1`, which is -1.
 */
export type CgF1Summary = AtThresholds<
  'cgf1' | 'precision' | 'recall' | 'f1' | 'positive_macro_f1' | 'pmf1' | 'positive_micro_precision'
> & {
  readonly il_precision: number
  readonly il_recall: number
  readonly il_f1: number
  readonly il_fpr: number
  readonly il_mcc: number
}

/**
 * The harmonic mean, with what the official code adds to each denominator.
 *
 * @param least 1e-4 where boxes are counted, 1e-6 where pictures are
 */
export const f1Of = (precision: number, recall: number, least: number): number =>
  (2 * precision * recall) / (precision + recall + least)

/** A share, as `f1Of`. */
export const shareOf = (part: number, rest: number, least: number): number => part / (part + rest + least)

/** The mean of ten numbers, added up in the order of NumPy, so that what is equal there is equal here. */
export function meanOverThresholds(values: Float64Array): number {
  if (values.length !== 10) throw new Error(`${values.length} thresholds`)
  const pair = (at: number) => values[at]! + values[at + 1]!
  return (pair(0) + pair(2) + (pair(4) + pair(6)) + values[8]! + values[9]!) / 10
}

/**
 * cgF1 (Carion et al. 2025, "SAM 3: Segment Anything with Concepts") = pmF1 * IL_MCC, as `cgf1_eval.py` of
 * facebookresearch/sam3 computes it. pmF1 is the F1 of all boxes of the pairs whose thing is in the picture,
 * of which the recall counts those pairs' missed boxes; IL_MCC is Matthews' correlation of "there is a box
 * over the confidence" and "the thing is in the picture" over all pairs.
 */
export function cgF1Of(counts: PairCounts): CgF1Summary {
  const { truePresent, falseAbsent, falsePresent, trueAbsent } = counts
  const ilRecall = shareOf(truePresent, falseAbsent, 1e-6)
  const ilPrecision = shareOf(truePresent, falsePresent, 1e-6)
  const mcc =
    (truePresent * trueAbsent - falsePresent * falseAbsent) /
    (Math.sqrt(
      (truePresent + falsePresent) *
        (truePresent + falseAbsent) *
        (trueAbsent + falsePresent) *
        (trueAbsent + falseAbsent),
    ) +
      1e-6)
  const each = (value: (at: number) => number) => Float64Array.from(iouThresholds, (_, at) => value(at))
  const precision = each((at) => shareOf(counts.matched[at]!, counts.wrong[at]!, 1e-4))
  const recall = each((at) => shareOf(counts.matched[at]!, counts.missed[at]!, 1e-4))
  const microPrecision = each((at) => shareOf(counts.matched[at]!, counts.wrongOfPresent[at]!, 1e-4))
  const pmf1 = each((at) => f1Of(microPrecision[at]!, recall[at]!, 1e-4))
  return {
    ...summary(
      'cgf1',
      each((at) => pmf1[at]! * mcc),
    ),
    ...summary('pmf1', pmf1),
    il_mcc: mcc,
    il_precision: ilPrecision,
    il_recall: ilRecall,
    il_f1: f1Of(ilPrecision, ilRecall, 1e-6),
    il_fpr: shareOf(falsePresent, trueAbsent, 1e-6),
    ...summary('positive_micro_precision', microPrecision),
    ...summary(
      'positive_macro_f1',
      each((at) => (truePresent === 0 ? -1 : counts.f1[at]! / truePresent)),
    ),
    ...summary('precision', precision),
    ...summary('recall', recall),
    ...summary(
      'f1',
      each((at) => f1Of(precision[at]!, recall[at]!, 1e-4)),
    ),
  }
}

const summary = <Name extends string>(name: Name, values: Float64Array) =>
  ({
    [name]: meanOverThresholds(values),
    [`${name}_50`]: values[0],
    [`${name}_75`]: values[5],
  }) as AtThresholds<Name>
