import { logit, sigmoid } from '../../statistics/logistic.js'

/** What turns a teacher's scores into the share of boxes of that score that are right. */
export type Calibration =
  | {
      readonly method: 'isotonic'
      /** Knots, ascending in both; straight lines between them, level outside. */
      readonly scores: readonly number[]
      readonly shares: readonly number[]
    }
  | {
      readonly method: 'temperature'
      /** sigmoid(logit(score) / temperature): above 1 the teacher was too sure, below too timid. */
      readonly temperature: number
    }

/** A calibration, and the teacher on whose scores it was measured. */
export interface MeasuredCalibration {
  readonly teacher: string
  readonly calibration: Calibration
}

/** A proposal's score, and whether its box is right. */
export interface Judged {
  readonly score: number
  readonly right: boolean
}

/** The calibrated score, 0 to 1; never falls where `score` rises. */
export function calibrated(calibration: Calibration, score: number): number {
  if (calibration.method === 'temperature') return sigmoid(logit(score) / calibration.temperature)
  const { scores, shares } = calibration
  let low = 0
  let high = scores.length - 1
  if (score <= scores[low]!) return shares[low]!
  if (score >= scores[high]!) return shares[high]!
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (scores[middle]! <= score) low = middle
    else high = middle
  }
  const through = (score - scores[low]!) / (scores[high]! - scores[low]!)
  return shares[low]! + through * (shares[high]! - shares[low]!)
}

/**
 * Isotonic regression (pool adjacent violators; Zadrozny and Elkan 2002): the rising steps that are nearest
 * to the judgements in squares. Each step gives the knots of its first and its last score.
 *
 * @param judged not empty
 */
export function fitIsotonic(judged: readonly Judged[]): Calibration {
  const sorted = [...judged].sort((a, b) => a.score - b.score)
  const blocks: { first: number; last: number; right: number; count: number }[] = []
  let at = 0
  while (at < sorted.length) {
    const { score } = sorted[at]!
    const block = { first: score, last: score, right: 0, count: 0 }
    // Equal scores cannot be told apart: they are one block from the start.
    for (; at < sorted.length && sorted[at]!.score === score; at++) {
      block.count++
      if (sorted[at]!.right) block.right++
    }
    blocks.push(block)
    while (blocks.length > 1 && meanOf(blocks[blocks.length - 2]!) >= meanOf(blocks[blocks.length - 1]!)) {
      const { last, right, count } = blocks.pop() as (typeof blocks)[number]
      const into = blocks[blocks.length - 1]!
      into.last = last
      into.right += right
      into.count += count
    }
  }
  const knots = blocks.flatMap((block): (readonly [score: number, share: number])[] => {
    const share = meanOf(block)
    return block.first === block.last
      ? [[block.first, share]]
      : [
          [block.first, share],
          [block.last, share],
        ]
  })
  return {
    method: 'isotonic',
    scores: knots.map(([score]) => score),
    shares: knots.map(([, share]) => share),
  }
}

const meanOf = ({ right, count }: { readonly right: number; readonly count: number }) => right / count

/**
 * Temperature scaling (Guo et al. 2017): the temperature whose scores make the judgements likeliest. The loss
 * is convex in its reciprocal, whose derivative is bisected; found within 0.01 to 100.
 *
 * @param judged not empty
 */
export function fitTemperature(judged: readonly Judged[]): Calibration {
  const slope = (sharpness: number) =>
    judged.reduce((sum, { score, right }) => {
      const z = logit(score)
      return sum + (sigmoid(z * sharpness) - (right ? 1 : 0)) * z
    }, 0)
  let low = Math.log(0.01)
  let high = Math.log(100)
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (slope(Math.exp(middle)) < 0) low = middle
    else high = middle
  }
  return { method: 'temperature', temperature: 1 / Math.exp((low + high) / 2) }
}

/** A bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly count: number
  /** Mean score, and share that is right; 0 where the bin is empty. */
  readonly score: number
  readonly right: number
}

/** The judgements in bins of equal width over 0 to 1. */
export function reliability(judged: readonly Judged[], bins = 15): ReliabilityBin[] {
  const sums = Array.from({ length: bins }, () => ({ count: 0, score: 0, right: 0 }))
  for (const { score, right } of judged) {
    const bin = sums[Math.min(bins - 1, Math.floor(score * bins))]!
    bin.count++
    bin.score += score
    if (right) bin.right++
  }
  return sums.map(({ count, score, right }) => ({
    count,
    score: count === 0 ? 0 : score / count,
    right: count === 0 ? 0 : right / count,
  }))
}

/**
 * Expected calibration error (Naeini et al. 2015): the bins' gaps between score and share right, weighted by
 * size.
 */
export function expectedCalibrationError(judged: readonly Judged[], bins = 15): number {
  return reliability(judged, bins).reduce(
    (sum, { count, score, right }) => sum + (count / Math.max(1, judged.length)) * Math.abs(score - right),
    0,
  )
}
