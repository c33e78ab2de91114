import { funnelTable, histogramLine } from './print-funnel.js'
import { duration } from './progress.js'
import { type DatasetStage, readStats } from './read-stats.js'

/** `groundmill stats`: sums of commit records, so it answers at once at any size. */
export async function stats(url: string, options: { readonly json?: boolean }): Promise<void> {
  const funnel = await readStats(url)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ dataset: url, funnel })}\n`)
    return
  }
  process.stdout.write(`${funnelTable(funnel)}\n`)
  for (const stage of funnel) process.stdout.write(`\n${stageDetails(stage)}\n`)
}

function stageDetails({ dataset, stage, shards, bytes, seconds, stats: own }: DatasetStage): string {
  const counts = Object.entries(own.counts).map(([name, count]) => `${name} ${count}`)
  const lines = [
    `${dataset} / ${stage}: ${shards} shards, ${(bytes / 1e6).toFixed(1)} MB, made in ${duration(seconds)}`,
  ]
  if (counts.length > 0) lines.push(`  ${counts.join(', ')}`)
  for (const [name, { edges, counts: bins }] of Object.entries(own.histograms)) {
    lines.push(`  ${name.padEnd(18)} ${histogramLine(edges, bins)}`)
  }
  for (const [name, words] of Object.entries(own.tallies)) {
    const ranked = Object.entries(words).sort((a, b) => b[1] - a[1])
    const once = ranked.filter(([, count]) => count === 1).length
    const top = ranked.slice(0, 12).map(([word, count]) => `${word} ${count}`)
    lines.push(`  ${name.padEnd(18)} ${ranked.length} different, ${once} seen once: ${top.join(', ')}`)
  }
  return lines.join('\n')
}
