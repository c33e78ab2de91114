import { formatTable } from './format-table.js'
import type { DatasetStage } from './read-stats.js'

/** The funnel as a table: what went in, what came out, and why the rest did not. */
export function funnelTable(stages: readonly DatasetStage[]): string {
  const rows = stages.map(({ dataset, stage, unit, in: given, out, rejected }) => {
    const reasons = Object.entries(rejected)
      .sort((a, b) => b[1] - a[1])
      .map(([reason, count]) => `${reason} ${count}`)
    return [dataset, stage, unit, given, out, given - out, reasons.join(', ')]
  })
  return formatTable(['dataset', 'stage', 'unit', 'in', 'out', 'rejected', 'reasons'], rows)
}

const blocks = ' ▁▂▃▄▅▆▇█'

/** A histogram as a line of blocks; a bin with something in it has a block, however low. */
export function histogramLine(counts: readonly number[], edges: readonly (number | null)[]): string {
  const highest = Math.max(1, ...counts)
  const bars = counts.map((count) => blocks[Math.ceil((count / highest) * 8)]).join('')
  const [first, last] = [edges[1], edges[edges.length - 2]]
  return `${bars}  under ${first} … ${last} and over`
}
