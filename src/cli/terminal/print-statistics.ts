/** Statistics of datasets as text. */

import type {
  ColumnStatistics,
  DatasetStatistics,
  LabelStatistics,
  NumberStatistics,
  StageStatistics,
} from '../../catalog/dataset-statistics.js'
import type { FunnelStage } from '../../catalog/funnel.js'
import { tableCell } from '../../query/format-rows.js'
import { type Measure, measures } from '../../statistics/measures.js'
import { formatTable } from './format-table.js'
import { duration } from './progress.js'

/** Where the pictures come from: a row a dataset. */
export function sourceTable(datasets: readonly DatasetStatistics[]): string {
  const rows = datasets.map(({ dataset, counts, stages }) => {
    const [images] = stages.filter(({ family }) => family === 'images')
    const hosts = labelsOf(images, 'hosts')
    return [
      dataset,
      ...[counts.images, counts.captions, counts.phrases, counts.regions].map((count) => count ?? '-'),
      perImage(counts.phrases, counts.images),
      perImage(counts.regions, counts.images),
      hosts ? about(hosts.n_unique, hosts.estimated.includes('n_unique')) : 'not recorded',
    ]
  })
  return formatTable(
    ['source', 'pictures', 'captions', 'phrases', 'regions', 'phrases/picture', 'regions/picture', 'hosts'],
    rows,
  )
}

/** What each grounding has, in the order in which they were made; undefined where there is none. */
export function roundTable(datasets: readonly DatasetStatistics[]): string | undefined {
  const rows = datasets.flatMap(({ dataset, stages, counts }) =>
    stages
      .filter(({ family }) => family === 'grounding')
      .map((stage) => {
        const origins = labelsOf(stage, 'origins')
        const score = numbersOf(stage, 'score')
        const heads = labelsOf(stage, 'heads')
        return [
          dataset,
          stage.stage,
          origins ? Object.keys(origins.frequencies).map(tableCell).join(', ') : 'not recorded',
          stage.counts.grounded_images ?? 0,
          stage.counts.regions ?? 0,
          perImage(stage.counts.regions ?? 0, counts.images),
          score?.mean == null ? '-' : score.mean.toFixed(3),
          heads ? about(heads.n_unique, heads.estimated.includes('n_unique')) : 'not recorded',
        ]
      }),
  )
  if (rows.length === 0) return undefined
  return formatTable(
    ['source', 'grounding', 'teacher', 'pictures', 'regions', 'regions/picture', 'mean score', 'heads'],
    rows,
  )
}

/** A stage in a few lines: how large it is, its counts, its histograms and its words. */
export function stageText(dataset: string, stage: StageStatistics, { bytes, seconds }: FunnelStage): string {
  const lines = [
    `${dataset} / ${stage.stage}: ${stage.shards} ${stage.shards === 1 ? 'shard' : 'shards'}, ${(bytes / 1e6).toFixed(1)} MB, ${duration(seconds)} of work`,
  ]
  const counts = Object.entries(stage.counts).map(([name, count]) => `${name} ${count}`)
  if (counts.length > 0) lines.push(`  ${counts.join(', ')}`)
  for (const column of stage.statistics) lines.push(...columnLines(column))
  if (stage.not_recorded.length > 0)
    lines.push(`  not recorded by the version that made it: ${stage.not_recorded.join(', ')}`)
  return lines.join('\n')
}

function columnLines(column: ColumnStatistics): string[] {
  const { column_name: name } = column
  const part = column.partial ? ' (of some shards: others were made by an older version)' : ''
  if (column.column_type === 'string_label') return labelLines(name + part, column.column_statistics)
  return numberLines(name, part, column.column_statistics)
}

const widestBar = 30

/** A bar a bin, with bins at both ends that are empty left out. */
function numberLines(name: string, part: string, statistics: NumberStatistics): string[] {
  const { count, min, max, mean, median, std, estimated, histogram } = statistics
  const measure: Measure | undefined = Object.hasOwn(measures, name)
    ? measures[name as keyof typeof measures]
    : undefined
  const title = `  ${name}${part}${measure ? `: ${measure.title}` : ''}`
  if (count === 0) return [`${title}; none`]
  const summary =
    mean === null || min === null || max === null
      ? 'min, max and mean were not recorded'
      : `${short(min)} to ${short(max)}, mean ${short(mean)}${std === null ? '' : ` ± ${short(std)}`}, median ${estimated.includes('median') ? '~' : ''}${median === null ? '-' : short(median)}`
  const { hist, bin_edges: edges } = histogram
  const first = hist.findIndex((size) => size > 0)
  const last = hist.findLastIndex((size) => size > 0)
  const highest = Math.max(...hist)
  const bins = hist.slice(first, last + 1).map((size, index) => {
    const low = edges[first + index] ?? null
    const high = edges[first + index + 1] ?? null
    return { size, label: binLabel(low, high, measure?.type === 'int') }
  })
  const width = Math.max(...bins.map(({ label }) => label.length))
  return [
    `${title}; ${summary}`,
    ...bins.map(
      ({ size, label }) =>
        `    ${label.padStart(width)}  ${bar(size / highest)} ${size}  ${percent(size / count)}`,
    ),
  ]
}

function bar(share: number): string {
  const eighths = share > 0 ? Math.max(1, Math.round(share * widestBar * 8)) : 0
  return ('█'.repeat(eighths >> 3) + sideways[eighths & 7]).padEnd(widestBar)
}

/** Eighths of a block, from the left. */
const sideways = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function binLabel(low: number | null, high: number | null, isWhole: boolean): string {
  if (low === null) return `< ${tick(high as number)}`
  if (high === null) return `${tick(low)} +`
  if (isWhole && high - low === 1) return tick(low)
  return `${tick(low)} – ${tick(isWhole ? high - 1 : high)}`
}

function labelLines(name: string, statistics: LabelStatistics): string[] {
  const { count, n_unique, n_once, nan_count, estimated } = statistics
  if (count === 0) return [`  ${name}: none`]
  const isEstimated = estimated.includes('n_unique')
  const missing = nan_count > 0 ? `, ${nan_count} pictures without` : ''
  const lines = [
    `  ${name}: ${count}, ${about(n_unique, isEstimated)} different, ${about(n_once, isEstimated)} seen once${missing}`,
  ]
  lines.push(`    ${topText(statistics)}`)
  const vocabulary = coverageText(statistics)
  if (vocabulary !== undefined) lines.push(`    vocabulary: ${vocabulary}`)
  return lines
}

/** The most frequent words with their counts. */
export function topText({ frequencies, frequencies_error }: LabelStatistics): string {
  const top = Object.entries(frequencies).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const error = frequencies_error > 0 ? ` (each may be ${frequencies_error} more)` : ''
  return `${top.map(([word, count]) => `${tableCell(word)} ${count}`).join(', ')}${error}`
}

/** How much of a vocabulary the words name; undefined where none was asked for. */
export function coverageText({ vocabulary, estimated }: LabelStatistics): string | undefined {
  if (!vocabulary) return undefined
  const { categories, seen, several_words, occurrences, share } = vocabulary
  const least = estimated.includes('vocabulary') ? 'at least ' : ''
  return `${least}${seen} of ${categories} categories seen (${several_words} have names of several words, which no head is), naming ${least}${percent(share)} of heads (${occurrences})`
}

export const labelsOf = (stage: StageStatistics | undefined, name: string): LabelStatistics | undefined => {
  const column = stage?.statistics.find(({ column_name }) => column_name === name)
  return column?.column_type === 'string_label' ? column.column_statistics : undefined
}

export const numbersOf = (stage: StageStatistics, name: string): NumberStatistics | undefined => {
  const column = stage.statistics.find(({ column_name }) => column_name === name)
  return column && column.column_type !== 'string_label' ? column.column_statistics : undefined
}

export const about = (count: number, isEstimated: boolean) => (isEstimated ? `~${count}` : String(count))
const perImage = (count: number | null, images: number | null) =>
  count === null || !images ? '-' : (count / images).toFixed(2)
export const short = (value: number) => String(Number(value.toPrecision(4)))
const tick = (value: number) =>
  value >= 1e6 ? `${value / 1e6}M` : value >= 1e4 ? `${value / 1e3}k` : String(value)
export const percent = (share: number) => `${(100 * share).toFixed(1)} %`
