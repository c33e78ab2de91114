import { counted } from '../../base/counted.js'
import type { FunnelStage } from '../../catalog/funnel.js'
import type { DatasetStage } from '../../catalog/read-stats.js'
import { formatTable } from './format-table.js'

/** The funnel as a table: what went in, what came out, and why the rest did not, or has another label. */
export function funnelTable(stages: readonly DatasetStage[]): string {
  const rows = stages.map(({ dataset, stage, unit, in: input, out, rejected, relabelled, joined }) => [
    ...[dataset, stage, unit, input, out, input - out],
    reasonsText({ rejected, relabelled, joined, in: input }),
  ])
  return formatTable(['dataset', 'stage', 'unit', 'in', 'out', 'rejected', 'reasons'], rows)
}

/** Reasons with their counts, the most frequent first; of more than `most` how many there are. */
export function reasonsText(
  { rejected, relabelled, joined, in: input }: Pick<FunnelStage, 'rejected' | 'relabelled' | 'joined' | 'in'>,
  most = Number.POSITIVE_INFINITY,
): string {
  const reasons = Object.entries(rejected)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, count]) => `${reason} ${count}`)
  for (const [rule, count] of Object.entries(relabelled)) reasons.push(`relabelled: ${rule} ${count}`)
  if (joined > 0) reasons.push(`captions of ${counted(input + joined, 'pair')} joined`)
  const shown = reasons.slice(0, most).join(', ')
  return reasons.length > most ? `${shown} and ${reasons.length - most} more` : shown
}
