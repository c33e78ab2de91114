import type { AuditSummary, KindSummary } from '../../audit/audit-labels.js'
import type { JudgedSummary } from '../../audit/judge-labels.js'
import type { Interval } from '../../statistics/share-interval.js'
import { formatTable } from './format-table.js'

const percent = (share: number | null) => (share === null ? '-' : (100 * share).toFixed(1))
const range = (interval: Interval | null) => (interval ? interval.map(percent).join(' to ') : '-')

/** What a round's report shows of the kinds: the rest stands in `report.json` and in `audit`. */
const shownKinds = new Set([
  ...['all', 'known', 'new', 'known/none', 'new/none'],
  ...['known/telling_colour', 'known/shared_colour', 'new/telling_colour', 'new/shared_colour'],
  ...['known/telling_size', 'new/telling_size'],
])

/** Regions right by the kinds of phrases that matter most, beside chance, with the 95 % interval; percent. */
export function labelTable({ kinds }: Pick<AuditSummary, 'kinds'>): string {
  const rows = kinds
    .filter(({ kind, judged }) => judged > 0 && shownKinds.has(kind))
    .map((kind) => [
      ...namesOf(kind),
      kind.judged,
      percent(kind.precision),
      range(kind.interval),
      percent(kind.chance),
    ])
  return formatTable(['phrases by', 'kind', 'regions', 'right', '95 %', 'chance'], rows)
}

/** The same with recall and calibration. */
export function auditTable({ kinds }: Pick<AuditSummary, 'kinds'>): string {
  const rows = kinds.map((kind) => [
    ...namesOf(kind),
    kind.judged,
    percent(kind.precision),
    range(kind.interval),
    percent(kind.chance),
    percent(kind.recall),
    range(kind.recallInterval),
    percent(kind.phraseRecall),
    percent(kind.score),
    percent(kind.ece),
    range(kind.eceInterval),
  ])
  const header = ['regions', 'right', '95 %', 'chance', 'recall', '95 %', 'phrases', 'score', 'ECE', '95 %']
  return formatTable(['phrases by', 'kind', ...header], rows)
}

/** How many regions are wrong since their phrase names nothing, and the heads of most of them. */
export function unnamedText(unnamed: NonNullable<AuditSummary['unnamed']>): string {
  const labels = unnamed.reduce((sum, head) => sum + head.labels, 0)
  const shown = unnamed.slice(0, 8).map(({ head, labels: count }) => `${head} ${count}`)
  const more = unnamed.length > shown.length ? ', …' : ''
  return `regions of phrases that name nothing in their picture, which are wrong: ${labels} (${shown.join(', ')}${more})`
}

/** What a sample says: right, recall where it was counted, and calibration. */
export function judgedTable({ kinds }: JudgedSummary): string {
  const rows = kinds.map((kind) => [
    ...namesOf(kind),
    kind.labels,
    kind.judged,
    percent(kind.precision),
    range(kind.interval),
    percent(kind.recall),
    range(kind.recallInterval),
    percent(kind.score),
    percent(kind.ece),
    range(kind.eceInterval),
  ])
  const header = ['regions', 'judged', 'right', '95 %', 'recall', '95 %', 'score', 'ECE', '95 %']
  return formatTable(['phrases by', 'kind', ...header], rows)
}

/** How right regions of each score are. */
export function calibrationTable({ calibration }: Pick<AuditSummary, 'calibration'>): string {
  const rows = calibration.map(({ from, to, labels, score, precision, interval }) => [
    `${from.toFixed(2)} to ${to.toFixed(2)}`,
    labels,
    percent(score),
    percent(precision),
    range(interval),
  ])
  return formatTable(['score', 'regions', 'mean score', 'right', '95 %'], rows)
}

const namesOf = ({ dimension, kind }: KindSummary) => [
  dimension === 'all' ? '' : dimension,
  kind.replaceAll('_', ' ').replaceAll('/', ', '),
]
