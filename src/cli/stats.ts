import { exactStatistics } from '../query/exact-statistics.js'
import {
  type ColumnStatistics,
  type DatasetStatistics,
  datasetStatistics,
  type LabelStatistics,
  type NumberStatistics,
} from '../shards/dataset-statistics.js'
import { measures } from '../shards/measures.js'
import { openStorage } from '../shards/storage.js'
import { readVocabulary } from '../shards/vocabulary.js'
import { funnelTable, histogramLine } from './print-funnel.js'
import { duration } from './progress.js'
import { type DatasetStage, readStats } from './read-stats.js'

export interface StatsCommandOptions {
  readonly exact?: boolean
  /** A file of names. */
  readonly vocabulary?: string
  readonly top: number
  readonly json?: boolean
}

/** `groundmill stats`: sums of commit records, so it answers at once at any size; with `exact` from the rows. */
export async function stats(url: string, options: StatsCommandOptions, signal: AbortSignal): Promise<void> {
  const vocabulary = options.vocabulary === undefined ? undefined : await readVocabulary(options.vocabulary)
  const funnel = await readStats(url)
  const how = { top: options.top, vocabulary }
  const datasets: DatasetStatistics[] = []
  for (const path of new Set(funnel.map((stage) => stage.url))) {
    const own = funnel.filter((stage) => stage.url === path)
    const { dataset } = own[0]
    datasets.push(
      options.exact
        ? await exactStatistics(openStorage(path), dataset, how, signal)
        : datasetStatistics(dataset, own, how),
    )
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ dataset: url, funnel, datasets })}\n`)
    return
  }
  process.stdout.write(`${funnelTable(funnel)}\n`)
  for (const own of datasets) process.stdout.write(`\n${datasetDetails(own, funnel)}\n`)
}

function datasetDetails(
  { dataset, counts, stages, exact }: DatasetStatistics,
  funnel: readonly DatasetStage[],
): string {
  const known = Object.entries(counts).map(([name, count]) => `${count ?? 'no'} ${name}`)
  const lines = [`${dataset}: ${known.join(', ')}${exact ? ', all of them read' : ''}`]
  for (const { stage, family, shards, statistics, not_recorded } of stages) {
    const own = funnel.find((one) => one.dataset === dataset && one.stage === stage && one.family === family)
    const size = own ? `, ${(own.bytes / 1e6).toFixed(1)} MB, made in ${duration(own.seconds)}` : ''
    lines.push('', `  ${dataset} / ${stage}: ${shards} ${shards === 1 ? 'shard' : 'shards'}${size}`)
    for (const column of statistics) lines.push(...columnLines(column).map((line) => `    ${line}`))
    if (not_recorded.length > 0)
      lines.push(`    not recorded when it ran: ${not_recorded.join(', ')} (--exact reads the rows)`)
  }
  return lines.join('\n')
}

function columnLines(column: ColumnStatistics): string[] {
  const title = titleOf(column.column_name)
  const partial = column.partial ? ' (of some shards: others did not record it)' : ''
  if (column.column_type === 'string_label') return labelLines(title + partial, column.column_statistics)
  return [`${title.padEnd(30)} ${numberLine(column.column_statistics)}${partial}`]
}

const titleOf = (name: string): string =>
  Object.hasOwn(measures, name) ? measures[name as keyof typeof measures].title : name.replaceAll('_', ' ')

function numberLine({ count, min, max, mean, median, histogram, estimated }: NumberStatistics): string {
  if (count === 0) return 'none'
  const bars = histogramLine(histogram.hist, histogram.bin_edges)
  const about = estimated.includes('median') ? 'about ' : ''
  const parts = [
    ...(mean === null ? [] : [`mean ${short(mean)}`]),
    ...(median === null ? [] : [`median ${about}${short(median)}`]),
    ...(min === null || max === null ? [] : [`${short(min)} to ${short(max)}`]),
  ]
  return `${bars}  ${parts.join(', ')}`
}

function labelLines(title: string, own: LabelStatistics): string[] {
  const { n_unique, n_once, frequencies, estimated, vocabulary, nan_count } = own
  const about = estimated.includes('n_unique') ? 'about ' : ''
  const top = Object.entries(frequencies).map(([word, count]) => `${word} ${count}`)
  const without = nan_count > 0 ? `, ${nan_count} pictures without` : ''
  const lines = [
    `${title.padEnd(30)} ${about}${n_unique} different, ${about}${n_once} seen once${without}: ${top.join(', ')}`,
  ]
  if (vocabulary) {
    const { categories, seen, several_words, share } = vocabulary
    lines.push(
      `${''.padEnd(30)} ${seen} of the vocabulary's ${categories} categories seen (${several_words} have names of several words only), ${(100 * share).toFixed(1)} % of all`,
    )
  }
  return lines
}

/** Three digits that count. */
const short = (value: number): string =>
  Math.abs(value) >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
