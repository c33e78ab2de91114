/**
 * Statistics of a dataset, in the shape of the /statistics endpoint of Hugging Face's dataset viewer where
 * that fits: per column counts of what is missing, min, max, mean, median, std and a histogram, or
 * frequencies of labels.
 */

import { type Measure, measures } from '../statistics/measures.js'
import { type RecordedFamily, recordedOf } from '../statistics/recorded.js'
import type { Histogram, Moments, ShardStats } from '../statistics/stats.js'
import { tallyOf } from '../statistics/stats.js'
import { summarise, type TallySummary, topWords } from '../statistics/tally.js'
import type { FunnelStage } from './funnel.js'
import { type Coverage, coverageOf, type Vocabulary } from './vocabulary.js'

export interface NumberStatistics {
  readonly count: number
  readonly nan_count: number
  readonly nan_proportion: number
  /** null where nothing was measured, or where these were not recorded. */
  readonly min: number | null
  readonly max: number | null
  readonly mean: number | null
  readonly median: number | null
  /** A quarter of the values lie at or below the first, and at or above the second. */
  readonly quartiles: readonly [number, number] | null
  /** Of a sample: with n - 1 in the denominator. */
  readonly std: number | null
  /**
   * One more edge than bins; the last is null where values have no maximum. A bin includes its lower edge
   * only.
   */
  readonly histogram: { readonly hist: readonly number[]; readonly bin_edges: readonly (number | null)[] }
  /** Names of the fields above that are estimates. */
  readonly estimated: readonly string[]
}

export interface LabelStatistics {
  readonly count: number
  /** Pictures without such a label. */
  readonly nan_count: number
  readonly nan_proportion: number
  readonly n_unique: number
  /** Labels that came once. */
  readonly n_once: number
  /** Of the most frequent labels, the most frequent first. */
  readonly frequencies: Readonly<Record<string, number>>
  /** By how much the counts of `frequencies` may be too low; 0 where they are exact. */
  readonly frequencies_error: number
  readonly vocabulary?: Coverage
  readonly estimated: readonly string[]
}

interface Column {
  readonly column_name: string
  /** Whether some shards are left out, since an older version made them and did not record it. */
  readonly partial: boolean
}

export type ColumnStatistics =
  | (Column & { readonly column_type: 'int' | 'float'; readonly column_statistics: NumberStatistics })
  | (Column & { readonly column_type: 'string_label'; readonly column_statistics: LabelStatistics })

export interface StageStatistics {
  readonly stage: string
  readonly family: FunnelStage['family']
  readonly shards: number
  readonly counts: Readonly<Record<string, number>>
  readonly statistics: readonly ColumnStatistics[]
  /** What is measured of the family now, but was not when this stage ran. */
  readonly not_recorded: readonly string[]
}

/** null where there is none, or where it was not recorded. */
export interface DatasetCounts {
  readonly images: number | null
  readonly captions: number | null
  /** Of the last stage that made phrases, or of the gold. */
  readonly phrases: number | null
  /** Of the last grounding, or of the gold. */
  readonly regions: number | null
}

export interface DatasetStatistics {
  readonly dataset: string
  /** Whether the rows themselves were read, not the sums in their commit records. */
  readonly exact: boolean
  readonly counts: DatasetCounts
  readonly stages: readonly StageStatistics[]
}

/** What a stage's statistics are computed from: sums of records, or the result of a query over its rows. */
export interface Measured {
  readonly counts: Readonly<Record<string, number>>
  readonly histograms: Readonly<Record<string, MeasuredHistogram>>
  readonly labels: Readonly<Record<string, MeasuredLabels>>
}

/** Where the median and the quartiles were not measured they are estimated from the bins. */
export interface MeasuredHistogram extends Histogram {
  /** First quartile, median and third quartile; null where there is no value. */
  readonly quarters?: readonly [number, number, number] | null
  readonly areQuartersEstimated?: boolean
}

export interface MeasuredLabels extends TallySummary {
  readonly top: readonly (readonly [string, number])[]
  /** As `frequencies_error`. */
  readonly more: number
  readonly vocabulary?: Coverage
}

export interface StatisticsOptions {
  /** Labels whose frequencies are given. */
  readonly top: number
  /** Categories whose names are looked for among the heads. */
  readonly vocabulary?: Vocabulary
}

/** Statistics of a dataset from the sums of its records. */
export function datasetStatistics(
  dataset: string,
  funnel: readonly FunnelStage[],
  options: StatisticsOptions,
): DatasetStatistics {
  const stages = funnel.map((stage) => stageStatistics(stage, measuredOf(stage.stats, options)))
  return { dataset, exact: false, counts: countsOf(stages), stages }
}

/** @param measured of all its rows, or of those whose shards recorded it */
export function stageStatistics(stage: FunnelStage, measured: Measured, exact = false): StageStatistics {
  const isPartial = (name: string) => !exact && (stage.recorded[name] ?? 0) < stage.shards
  const numbers = Object.entries(measured.histograms).map(([name, histogram]): ColumnStatistics => {
    const measure: Measure | undefined = Object.hasOwn(measures, name)
      ? measures[name as keyof typeof measures]
      : undefined
    return {
      column_name: name,
      column_type: measure?.type ?? 'float',
      partial: isPartial(name),
      column_statistics: numberStatistics(histogram, measure),
    }
  })
  const labels = Object.entries(measured.labels).map(
    ([name, tally]): ColumnStatistics => ({
      column_name: name,
      column_type: 'string_label',
      partial: isPartial(name),
      column_statistics: labelStatistics(tally, name, measured.counts.images),
    }),
  )
  const family = stage.family as RecordedFamily
  const { measures: numeric = [], tallies = [] } = Object.hasOwn(recordedOf, family) ? recordedOf[family] : {}
  const isMissing = (name: string) => !(name in measured.histograms) && !Object.hasOwn(measured.labels, name)
  return {
    stage: stage.stage,
    family: stage.family,
    shards: stage.shards,
    counts: measured.counts,
    statistics: [...numbers, ...labels],
    not_recorded: [...numeric, ...tallies].filter(isMissing),
  }
}

/** Images and captions, and the phrases and regions of the last stage that made them. */
export function countsOf(stages: readonly StageStatistics[]): DatasetCounts {
  const last = (families: readonly string[], name: string) =>
    stages.findLast(({ family, counts }) => families.includes(family) && Object.hasOwn(counts, name))?.counts[
      name
    ] ?? null
  return {
    images: last(['images'], 'images'),
    captions: last(['images'], 'captions'),
    phrases: last(['phrases'], 'phrases') ?? last(['images'], 'phrases'),
    regions: last(['grounding'], 'regions') ?? last(['images'], 'regions'),
  }
}

function measuredOf(stats: ShardStats, { top, vocabulary }: StatisticsOptions): Measured {
  const labels = Object.keys(stats.tallies).map((name): [string, MeasuredLabels] => {
    const tally = tallyOf(stats, name) as NonNullable<ReturnType<typeof tallyOf>>
    const summary = summarise(tally)
    const covered =
      vocabulary && name === 'heads'
        ? {
            vocabulary: coverageOf(vocabulary, new Map(Object.entries(tally.words)), summary.total),
          }
        : {}
    return [name, { ...summary, top: topWords(tally, top), more: tally.tail?.more ?? 0, ...covered }]
  })
  // Older versions recorded how many phrases differ within each picture, which added up says nothing of a dataset.
  const { distinct_phrases: _, ...counts } = stats.counts
  return { counts, histograms: stats.histograms, labels: Object.fromEntries(labels) }
}

/**
 * The numbers of a histogram.
 *
 * @param measure the least and greatest possible value, and whether values are whole numbers
 */
export function numberStatistics(
  { edges, counts, moments, quarters, areQuartersEstimated = quarters === undefined }: MeasuredHistogram,
  measure: Partial<Pick<Measure, 'type' | 'least' | 'most'>> | undefined,
): NumberStatistics {
  const count = counts.reduce((sum, count) => sum + count, 0)
  const mean = meanOf({ counts, moments })
  const limits = [moments?.min ?? null, ...edges, moments?.max ?? null]
  const quarter = (at: 0 | 1 | 2) =>
    quarters === undefined
      ? quantileOf(counts, limits, measure?.type === 'int', (at + 1) / 4)
      : (quarters?.[at] ?? null)
  const [first, median, third] = [quarter(0), quarter(1), quarter(2)]
  const deviations = moments && mean !== null ? deviationsOf(moments, mean, count) : null
  return {
    count,
    nan_count: 0,
    nan_proportion: 0,
    min: moments?.min ?? null,
    max: moments?.max ?? null,
    mean,
    median,
    quartiles: first === null || third === null ? null : [first, third],
    std: deviations !== null && count > 1 ? Math.sqrt(deviations / (count - 1)) : null,
    histogram: { hist: counts, bin_edges: [measure?.least ?? null, ...edges, measure?.most ?? null] },
    estimated: areQuartersEstimated ? ['median', 'quartiles'] : [],
  }
}

/** The sum of squared deviations from the mean; 0 where it is within the rounding error of the sums. */
function deviationsOf({ sum, squares }: Moments, mean: number, count: number): number {
  const deviations = squares - sum * mean
  return deviations > count * (1 + Math.abs(mean)) * 2 ** -32 ? deviations : 0
}

/** null where there is nothing, or where sums were not recorded. */
export function meanOf({ counts, moments }: Pick<Histogram, 'counts' | 'moments'>): number | null {
  const count = counts.reduce((sum, count) => sum + count, 0)
  return moments && count > 0 ? moments.sum / count : null
}

/** A quantile, as if the values of a bin were spread evenly; null where its bin has no end. */
function quantileOf(
  counts: readonly number[],
  edges: readonly (number | null)[],
  isWhole: boolean,
  share: number,
): number | null {
  const rank = counts.reduce((sum, count) => sum + count, 0) * share
  if (rank === 0) return null
  let below = 0
  let bin = 0
  while (below + counts[bin]! < rank) below += counts[bin++]!
  const min = edges.at(0) ?? null
  const max = edges.at(-1) ?? null
  const low = edges[bin] ?? null
  const high = edges[bin + 1] ?? null
  if (low === null || high === null || min === null || max === null) return null
  const from = Math.max(low, min)
  const to = Math.min(high, max)
  const value = from + ((rank - below) / counts[bin]!) * (to - from)
  // A bin of whole numbers ends below its upper edge.
  return isWhole ? Math.floor(value) : value
}

function labelStatistics(
  { total, different, once, isEstimated, top, more, vocabulary }: MeasuredLabels,
  name: string,
  images: number | undefined,
): LabelStatistics {
  // A picture has at most one host and one license; other labels are not of pictures, so that none can be
  // missing.
  const missing = (name === 'hosts' || name === 'licenses') && images !== undefined ? images - total : 0
  const all = total + missing
  return {
    count: total,
    nan_count: missing,
    nan_proportion: all > 0 ? missing / all : 0,
    n_unique: different,
    n_once: once,
    frequencies: Object.fromEntries(top),
    frequencies_error: more,
    ...(vocabulary && { vocabulary }),
    estimated: [
      ...(isEstimated ? ['n_unique', 'n_once'] : []),
      ...(more > 0 ? ['frequencies', ...(vocabulary ? ['vocabulary'] : [])] : []),
    ],
  }
}
