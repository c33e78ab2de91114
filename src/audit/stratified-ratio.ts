import { type Interval, shareInterval } from '../statistics/share-interval.js'

/** A stratum of a sample. */
export interface Stratum {
  /** How many there are, and how many of them were judged. */
  readonly population: number
  readonly judged: number
}

/** What a judged row adds to a share. */
export interface SampledUnits {
  readonly stratum: string
  readonly units: number
  readonly hits: number
}

/**
 * A share from a stratified sample, such as "right of the labels of a kind": the combined ratio estimate with
 * its linearised variance (Särndal, Swensson and Wretman 1992, 5.8 and 7.7). The 95 % interval is about the very
 * labels that the sample was drawn from: it closes where all were judged.
 *
 * @param rows those of the kind alone
 * @returns nulls where there are no units
 */
export function stratifiedRatio(
  rows: readonly SampledUnits[],
  strata: ReadonlyMap<string, Stratum>,
): { readonly share: number | null; readonly interval: Interval | null } {
  let all = 0
  let hits = 0
  let squares = 0
  const groups = new Map<string, SampledUnits[]>()
  for (const row of rows) {
    if (row.units === 0) continue
    const { population, judged } = stratumOf(strata, row)
    const weight = population / judged
    all += weight * row.units
    hits += weight * row.hits
    squares += (1 - judged / population) * (weight * row.units) ** 2
    groups.set(row.stratum, [...(groups.get(row.stratum) ?? []), row])
  }
  if (all === 0) return { share: null, interval: null }
  const share = hits / all
  const units = rows.filter((row) => row.units > 0).length
  const interval = shareInterval({
    share,
    variance: varianceOf(groups, strata, share) / (all * all),
    units,
    independent: squares > 0 ? (all * all) / squares : Number.POSITIVE_INFINITY,
    degrees: units > 1 ? Math.max(1, units - groups.size) : 0,
  })
  return { share, interval }
}

export function stratumOf(
  strata: ReadonlyMap<string, Stratum>,
  { stratum }: { readonly stratum: string },
): Stratum {
  const found = strata.get(stratum)
  if (!found) throw new Error(`no stratum "${stratum}"`)
  return found
}

/** Variance of the weighted sum of what each row is off the share. */
function varianceOf(
  groups: ReadonlyMap<string, readonly SampledUnits[]>,
  strata: ReadonlyMap<string, Stratum>,
  share: number,
): number {
  let variance = 0
  const single: number[] = []
  for (const [stratum, rows] of groups) {
    const { population, judged } = stratumOf(strata, { stratum })
    // Rows of other kinds are off by 0.
    const off = rows.map((row) => row.hits - share * row.units)
    const sum = off.reduce((total, value) => total + value, 0)
    if (judged === 1) {
      if (population > 1) single.push(population * sum)
      continue
    }
    const squares = off.reduce((total, value) => total + value * value, 0) - (sum * sum) / judged
    variance += (population * population * (1 - judged / population) * squares) / (judged * (judged - 1))
  }
  // The spread within a stratum of one row is not known: such strata are taken for one.
  const mean = single.reduce((total, value) => total + value, 0) / Math.max(1, single.length)
  const [only] = single
  if (single.length === 1 && only !== undefined) return variance + only * only
  const spread = single.reduce((total, value) => total + (value - mean) ** 2, 0)
  return variance + (single.length > 1 ? (spread * single.length) / (single.length - 1) : 0)
}
