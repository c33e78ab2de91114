import { random } from '../base/random.js'
import { clusterRatio } from '../statistics/cluster-ratio.js'
import type { Interval } from '../statistics/share-interval.js'

/** Bins of equal width over scores of 0 to 1, as many as `calibrate` has. */
export const scoreBins = 15
/** Fewer pictures, or judged labels of a sample, do not tell how far off the calibration error may be. */
const leastUnits = 20
/** Samples of the bootstrap. */
export const replicates = 200

/** A score and whether its box is right. */
export interface ScoredLabel {
  readonly score: number
  readonly right: boolean
}

/** A bin of a reliability diagram that is not empty. */
export interface CalibrationBin {
  readonly from: number
  readonly to: number
  readonly labels: number
  /** Mean score. */
  readonly score: number
  /** Share that is right, and its 95 % interval. */
  readonly precision: number
  readonly interval: Interval
}

export interface CalibrationError {
  /**
   * Expected calibration error (Naeini et al. 2015): gaps between mean score and precision of the bins,
   * weighted by size; null without labels.
   */
  readonly ece: number | null
  /** Its 95 % interval; null where fewer than 20 pictures, or labels of a sample, are judged. */
  readonly eceInterval: Interval | null
}

export const binOf = (score: number): number =>
  Math.max(0, Math.min(scoreBins - 1, Math.floor(score * scoreBins)))

/**
 * How often each picture is in each sample of a bootstrap over pictures whose number need not be known before:
 * Poisson(1) (Chamandy et al. 2012).
 *
 * @param picture its number, which decides
 */
export function pictureWeights(picture: number): Uint8Array {
  const draw = random('audit', picture)
  return Uint8Array.from({ length: replicates }, () => {
    let left = draw.next()
    let chance = Math.exp(-1)
    let count = 0
    while (left >= chance && count < 20) {
      left -= chance
      count++
      chance /= count
    }
    return count
  })
}

/** Adds up the calibration error of labels picture by picture, in memory that does not grow. */
export function calibrationError() {
  const gaps = new Float64Array(scoreBins)
  const sampled = new Float64Array(replicates * scoreBins)
  const sizes = new Float64Array(replicates)
  let labels = 0
  let pictures = 0
  return {
    add(own: readonly ScoredLabel[], weights: Uint8Array): void {
      if (own.length === 0) return
      pictures++
      labels += own.length
      const change = new Map<number, number>()
      for (const { score, right } of own) {
        const bin = binOf(score)
        change.set(bin, (change.get(bin) ?? 0) + score - (right ? 1 : 0))
      }
      for (const [bin, gap] of change) gaps[bin] = (gaps[bin] ?? 0) + gap
      for (const [sample, weight] of weights.entries()) {
        if (weight === 0) continue
        sizes[sample] = (sizes[sample] ?? 0) + weight * own.length
        for (const [bin, gap] of change) {
          const at = sample * scoreBins + bin
          sampled[at] = (sampled[at] ?? 0) + weight * gap
        }
      }
    },
    result(): CalibrationError {
      if (labels === 0) return { ece: null, eceInterval: null }
      const shares = gaps.map((gap) => gap / labels)
      const samples = [...sizes].flatMap((size, at) =>
        size > 0 ? [sampled.subarray(at * scoreBins, (at + 1) * scoreBins).map((gap) => gap / size)] : [],
      )
      return errorOfGaps(shares, pictures, samples)
    },
  }
}

/**
 * The calibration error of gaps between score and share right, a bin each as shares of all labels. By the
 * triangle inequality it is off by no more than its gaps are together; the interval goes as far as these are
 * off in 95 of 100 samples of a bootstrap. That is wider than it need be where gaps are large, and holds where
 * they are 0, as the percentiles of the error itself would not: noise only makes it larger.
 *
 * @param units independent ones that the gaps were estimated from
 * @param samples gaps of each sample of the bootstrap
 */
export function errorOfGaps(
  gaps: Float64Array,
  units: number,
  samples: readonly Float64Array[],
): CalibrationError {
  const ece = sumOfSizes(gaps)
  if (units < leastUnits) return { ece, eceInterval: null }
  const off = samples
    .map((sample) => sample.reduce((sum, gap, bin) => sum + Math.abs(gap - (gaps[bin] ?? 0)), 0))
    .sort((a, b) => a - b)
  const most = off[Math.ceil(0.95 * off.length) - 1] ?? 1
  return { ece, eceInterval: [Math.max(0, ece - most), Math.min(1, ece + most)] }
}

const sumOfSizes = (gaps: Float64Array) => gaps.reduce((sum, gap) => sum + Math.abs(gap), 0)

/** Adds up the bins of a reliability diagram picture by picture. */
export function calibrationBins() {
  const bins = Array.from({ length: scoreBins }, () => ({ ratio: clusterRatio(), score: 0 }))
  return {
    add(own: readonly ScoredLabel[]): void {
      const units = new Float64Array(scoreBins)
      const hits = new Float64Array(scoreBins)
      for (const { score, right } of own) {
        const at = binOf(score)
        units[at] = (units[at] ?? 0) + 1
        if (right) hits[at] = (hits[at] ?? 0) + 1
        const bin = bins[at]
        if (bin) bin.score += score
      }
      for (const [at, { ratio }] of bins.entries()) ratio.add(units[at] ?? 0, hits[at] ?? 0)
    },
    result(): CalibrationBin[] {
      return bins.flatMap(({ ratio, score }, at): CalibrationBin[] => {
        const { all, share, interval } = ratio.result()
        if (share === null || interval === null) return []
        const range = { from: at / scoreBins, to: (at + 1) / scoreBins }
        return [{ ...range, labels: all, score: score / all, precision: share, interval }]
      })
    },
  }
}
