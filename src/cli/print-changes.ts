import type { SummedChanges } from '../filter/sum-changes.js'
import { tableCell } from '../query/format-rows.js'
import { meanOf } from '../shards/dataset-statistics.js'
import type { Histogram } from '../shards/stats.js'
import { formatTable } from './format-table.js'

/** How many boxes a rule dropped in each of two groundings; null where it has no such rule. */
export interface LedgerLine {
  readonly reason: string
  readonly before: number | null
  readonly after: number | null
}

/** What the reasons that are no rule's mean. */
const meanings: Readonly<Record<string, string>> = {
  no_phrase: 'no such phrase there',
  no_proposal: "no box of that teacher's overlaps it by an IoU of 0.5",
  another_box: 'its box is there and goes with another one',
  unknown: 'gold, or no ledger of single boxes',
}

/** A comparison as text. */
export function changesText(
  {
    images,
    changed,
    kept,
    rescored,
    moved,
    lost,
    added,
    lostBy,
    addedBy,
    histograms,
    phrases,
  }: SummedChanges,
  ledger: readonly LedgerLine[],
  [a, b]: readonly [string, string],
): string {
  const { lost_score, added_score, moved_iou, score_change } = histograms
  const changes = [
    ['kept', String(kept), '', rescored > 0 ? `${rescored} with another score` : ''],
    [
      'moved',
      String(moved),
      '',
      moved > 0 ? `the same phrase, another box: mean IoU ${mean(moved_iou)}` : '',
    ],
    ['lost', String(lost), mean(lost_score), `only in ${a}`],
    ['added', String(added), mean(added_score), `only in ${b}`],
  ]
  const parts = [
    `${changed} of ${images} pictures differ`,
    formatTable(['boxes', 'count', 'mean score', ''], changes),
  ]
  if (kept + moved > 0)
    parts.push(`Scores of boxes that both have change by ${signed(meanOf(score_change) ?? 0)} in the mean.`)
  if (moved > 0) parts.push(bins('IoU of moved', moved_iou, 0.5, 1))
  const reasons = [...new Set([...Object.keys(lostBy), ...Object.keys(addedBy)])]
  if (reasons.length > 0) {
    const rows = reasons.map((reason) => [
      reason,
      lostBy[reason] ?? 0,
      addedBy[reason] ?? 0,
      meanings[reason] ?? '',
    ])
    parts.push(formatTable(['why', `lost: not in ${b}`, `added: not in ${a}`, ''], rows))
  }
  if (ledger.length > 0) {
    const rows = ledger.map(({ reason, before, after }) => [
      reason,
      before ?? '',
      after ?? '',
      (after ?? 0) - (before ?? 0),
    ])
    parts.push(formatTable(['dropped in all by', a, b, 'change'], rows))
  }
  if (phrases.length > 0) {
    const rows = phrases.map((own) => [
      tableCell(own.phrase),
      own.kept,
      own.moved,
      own.lost,
      own.added,
      signed(own.added - own.lost),
    ])
    parts.push(formatTable(['phrase', 'kept', 'moved', 'lost', 'added', 'boxes'], rows))
  }
  return parts.join('\n\n')
}

const mean = (histogram: Histogram) => meanOf(histogram)?.toFixed(2) ?? '-'
const signed = (value: number) => {
  const text = Number.isInteger(value) ? String(value) : value.toFixed(3)
  if (Number(text) === 0) return '0'
  return value > 0 ? `+${text}` : text
}

/** A histogram as a line. */
function bins(title: string, { edges, counts }: Histogram, least: number, most: number): string {
  const limits = [least, ...edges, most]
  const parts = counts.flatMap((own, at) => (own > 0 ? [`${limits[at]} to ${limits[at + 1]}: ${own}`] : []))
  return `${title}  ${parts.join(', ')}`
}
