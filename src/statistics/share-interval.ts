import { betaQuantile, studentQuantile } from './beta-quantile.js'

/** Lower and upper end of a 95 % interval. */
export type Interval = readonly [low: number, high: number]

/** A share that was estimated, and how well. */
export interface EstimatedShare {
  /** 0 to 1. */
  readonly share: number
  /** Variance of the estimate. */
  readonly variance: number
  /** Units that it was estimated from. */
  readonly units: number
  /** Independent units that tell at most as much, for where the variance says nothing: shares of 0 and 1. */
  readonly independent: number
  /** Degrees of freedom of the variance. */
  readonly degrees: number
}

/**
 * The 95 % interval of Korn and Graubard (1998): that of Clopper and Pearson for as many independent units as
 * would give the variance, fewer where few degrees of freedom stand behind it. Near 0 and 1 it is as wide as
 * it must be. A share without degrees of freedom may be anything.
 */
export function shareInterval(estimate: EstimatedShare): Interval {
  const { share, variance, units, independent, degrees } = estimate
  if (independent === Number.POSITIVE_INFINITY) return [share, share]
  if (degrees < 1 || independent <= 0) return [0, 1]
  const told = share > 0 && share < 1 && variance > 0 ? (share * (1 - share)) / variance : independent
  const nominal = studentQuantile(Math.max(1, units - 1)) / studentQuantile(degrees)
  const effective = Math.min(told, independent) * Math.min(1, nominal) ** 2
  const right = share * effective
  const wrong = effective - right
  return [
    right <= 0 ? 0 : betaQuantile(0.025, right, wrong + 1),
    wrong <= 0 ? 1 : betaQuantile(0.975, right + 1, wrong),
  ]
}
