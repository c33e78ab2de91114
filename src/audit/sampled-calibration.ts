import { random } from '../base/random.js'
import {
  binOf,
  type CalibrationBin,
  type CalibrationError,
  errorOfGaps,
  replicates,
  type ScoredLabel,
  scoreBins,
} from './calibration-error.js'
import { type Stratum, stratifiedRatio, stratumOf } from './stratified-ratio.js'

/** A judged label of a sample. */
interface SampledScore extends ScoredLabel {
  readonly stratum: string
}

/** A label with how many it stands for, in the sample and in each sample of the bootstrap. */
export interface WeighedLabel<T> {
  readonly label: T
  readonly weight: number
  readonly replicas: Float64Array
}

/**
 * Weights of the labels of a stratified sample, and those of the rescaled bootstrap (Rao, Wu and Yue 1992): of
 * each stratum one row less than it has is drawn again, and what a row gains or loses shrinks with the share of
 * the stratum that was judged.
 */
export function weighLabels<T extends { readonly stratum: string }>(
  labels: readonly T[],
  strata: ReadonlyMap<string, Stratum>,
): WeighedLabel<T>[] {
  const groups = new Map<string, WeighedLabel<T>[]>()
  const weighed = labels.map((label): WeighedLabel<T> => {
    const { population, judged } = stratumOf(strata, label)
    const weight = population / judged
    const own = { label, weight, replicas: new Float64Array(replicates).fill(weight) }
    groups.set(label.stratum, [...(groups.get(label.stratum) ?? []), own])
    return own
  })
  for (const [stratum, own] of groups) {
    const { population, judged } = stratumOf(strata, { stratum })
    const [first] = own
    if (judged < 2 || !first) continue
    const spread = Math.sqrt(1 - judged / population)
    const draw = random('judged', stratum)
    for (let sample = 0; sample < replicates; sample++) {
      for (const { replicas } of own) replicas[sample] = first.weight * (1 - spread)
      for (let left = judged - 1; left > 0; left--) {
        const replicas = own[draw.integer(judged)]?.replicas
        if (replicas)
          replicas[sample] = (replicas[sample] ?? 0) + (first.weight * spread * judged) / (judged - 1)
      }
    }
  }
  return weighed
}

/** Mean score, each label as often as it stands for; null without any. */
export function meanScore(labels: readonly WeighedLabel<SampledScore>[]): number | null {
  const all = labels.reduce((sum, { weight }) => sum + weight, 0)
  return all === 0 ? null : labels.reduce((sum, { weight, label }) => sum + weight * label.score, 0) / all
}

/** The bins of a reliability diagram by a sample, those that are not empty. */
export function sampledBins(
  labels: readonly WeighedLabel<SampledScore>[],
  strata: ReadonlyMap<string, Stratum>,
): CalibrationBin[] {
  return Array.from({ length: scoreBins }, (_, bin) => bin).flatMap((bin): CalibrationBin[] => {
    const own = labels.filter(({ label }) => binOf(label.score) === bin)
    const units = own.map(({ label }) => ({ stratum: label.stratum, units: 1, hits: label.right ? 1 : 0 }))
    const { share, interval } = stratifiedRatio(units, strata)
    const score = meanScore(own)
    if (share === null || interval === null || score === null) return []
    const range = { from: bin / scoreBins, to: (bin + 1) / scoreBins }
    return [{ ...range, labels: own.length, score, precision: share, interval }]
  })
}

/** The calibration error by a sample, and its interval by the bootstrap. */
export function sampledError(labels: readonly WeighedLabel<SampledScore>[]): CalibrationError {
  const gaps = gapsOf(labels, ({ weight }) => weight)
  if (!gaps) return { ece: null, eceInterval: null }
  const samples = Array.from({ length: replicates }, (_, sample) =>
    gapsOf(labels, ({ replicas }) => replicas[sample] ?? 0),
  )
  return errorOfGaps(
    gaps,
    labels.length,
    samples.filter((sample) => sample !== undefined),
  )
}

/** Gaps between score and share right by bin, as shares of all; undefined without any labels. */
function gapsOf(
  labels: readonly WeighedLabel<SampledScore>[],
  weigh: (label: WeighedLabel<SampledScore>) => number,
): Float64Array | undefined {
  const gaps = new Float64Array(scoreBins)
  let all = 0
  for (const own of labels) {
    const weight = weigh(own)
    const bin = binOf(own.label.score)
    gaps[bin] = (gaps[bin] ?? 0) + weight * (own.label.score - (own.label.right ? 1 : 0))
    all += weight
  }
  return all <= 0 ? undefined : gaps.map((gap) => gap / all)
}
