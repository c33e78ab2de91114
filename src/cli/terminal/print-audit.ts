import type { AuditSummary, KindSummary } from '../../audit/audit-labels.js'
import type { JudgedSummary } from '../../audit/judge-labels.js'
import type { Interval } from '../../audit/share-interval.js'
import { formatTable } from './format-table.js'

const percent = (share: number | null) => (share === null ? '-' : (100 * share).toFixed(1))
const range = (interval: Interval | null) => (interval ? interval.map(percent).join(' to ') : '-')

/** Labels right by kind of phrase beside chance, with the 95 % interval; percent. */
export function labelTable({ kinds }: Pick<AuditSummary, 'kinds'>): string {
  const rows = kinds
    .filter(({ judged }) => judged > 0)
    .map((kind) => [
      ...namesOf(kind),
      kind.judged,
      percent(kind.precision),
      range(kind.interval),
      percent(kind.chance),
    ])
  return formatTable(['phrases by', 'kind', 'labels', 'right', '95 %', 'chance'], rows)
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
  const header = ['labels', 'right', '95 %', 'chance', 'recall', '95 %', 'phrases', 'score', 'ECE', '95 %']
  return formatTable(['phrases by', 'kind', ...header], rows)
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
  const header = ['labels', 'judged', 'right', '95 %', 'recall', '95 %', 'score', 'ECE', '95 %']
  return formatTable(['phrases by', 'kind', ...header], rows)
}

/** How right labels of each score are. */
export function calibrationTable({ calibration }: Pick<AuditSummary, 'calibration'>): string {
  const rows = calibration.map(({ from, to, labels, score, precision, interval }) => [
    `${from.toFixed(2)} to ${to.toFixed(2)}`,
    labels,
    percent(score),
    percent(precision),
    range(interval),
  ])
  return formatTable(['score', 'labels', 'mean score', 'right', '95 %'], rows)
}

const namesOf = ({ dimension, kind }: KindSummary) => [
  dimension === 'all' ? '' : dimension,
  kind.replaceAll('_', ' ').replaceAll('/', ', '),
]
