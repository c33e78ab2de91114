import type { DatasetStage } from '../../catalog/read-stats.js'
import { formatTable } from './format-table.js'

/** The funnel as a table: what went in, what came out, and why the rest did not, or has another label. */
export function funnelTable(stages: readonly DatasetStage[]): string {
  const rows = stages.map(({ dataset, stage, unit, in: input, out, rejected, relabelled, joined }) => {
    const reasons = Object.entries(rejected)
      .sort((a, b) => b[1] - a[1])
      .map(([reason, count]) => `${reason} ${count}`)
    for (const [rule, count] of Object.entries(relabelled)) reasons.push(`relabelled: ${rule} ${count}`)
    if (joined > 0) reasons.push(`captions of ${input + joined} pairs joined`)
    return [dataset, stage, unit, input, out, input - out, reasons.join(', ')]
  })
  return formatTable(['dataset', 'stage', 'unit', 'in', 'out', 'rejected', 'reasons'], rows)
}
