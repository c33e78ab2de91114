import { parseConfig } from '../base/parse-config.js'
import { openDataset, requireGrounding } from '../catalog/open-dataset.js'
import { phrasesOf, selectionOf } from '../catalog/phrases-of.js'
import { exportConfig } from '../export/config.js'
import { type ExportReport, exportDataset } from '../export/export-dataset.js'
import { readDataset } from '../shards/dataset.js'
import { formatTable } from './terminal/format-table.js'
import { createProgress, duration } from './terminal/progress.js'

export interface ExportOptions {
  readonly as?: string
  readonly format: string
  readonly out: string
  readonly images?: string
  readonly linkFrom?: string
  readonly keepEmpty?: boolean
  readonly classes?: string
  readonly split?: string
  readonly force?: boolean
  readonly json?: boolean
}

/** `groundmill export`: a grounding and its pictures as a folder that other programs read. */
export async function exportCommand(url: string, options: ExportOptions, signal: AbortSignal): Promise<void> {
  const { format, images, linkFrom: link_from, keepEmpty: keep_empty, classes, split } = options
  const config = parseConfig(
    exportConfig,
    { format, images, link_from, keep_empty, classes, split },
    'groundmill export',
  )
  const dataset = await openDataset(url)
  const grounding = options.as ?? dataset.groundings.at(-1) ?? dataset.name
  requireGrounding(dataset, grounding)
  const phrases = await phrasesOf(dataset, 'grounding', grounding)
  const selection = await selectionOf(dataset, grounding, phrases)
  const { card } = await readDataset(dataset.storage)
  const license = typeof card?.license === 'string' ? card.license : undefined
  const progress = createProgress()
  const start = performance.now()
  const { name, storage, shards } = dataset
  const source = { name, storage, shards, grounding, phrases, ...(selection && { selection }) }
  const { report, skipped } = await exportDataset(source, {
    ...{ config, out: options.out, force: options.force, license, signal },
    onProgress: (done, total) => progress.update(`${format} ${options.out}`, done, total),
    onResume: (rows) => progress.finish(`  ${rows} pictures were done before`),
  })
  const seconds = (performance.now() - start) / 1000
  const { written } = report
  progress.finish(
    `✓ ${options.out}  ${written.images} pictures, ${written.captions} captions, ${written.regions + written.detections} boxes as ${format}, ${skipped ? 'already done' : duration(seconds)}`,
  )
  if (report.missing.length > 0)
    progress.finish(`  without ${report.missing.length} shard(s) that have no grounding "${grounding}" yet`)
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ out: options.out, skipped, seconds, ...report })}\n`)
    return
  }
  process.stdout.write(`${reportText(report)}\n`)
}

/** What was left out and what the format cannot hold, as tables. */
function reportText({ leftOut, lost, notes, classes, ingest, pictures }: ExportReport): string {
  const parts: string[] = []
  const rows = Object.entries(leftOut).flatMap(([what, reasons]) =>
    Object.entries(reasons).map(([reason, count]) => [what, reason, count]),
  )
  if (rows.length > 0) parts.push(formatTable(['left out', 'because', 'count'], rows))
  if (Object.keys(lost).length > 0)
    parts.push(formatTable(['the format does not hold', 'values'], Object.entries(lost)))
  if (pictures.linked) parts.push(`${pictures.linked} pictures linked, ${pictures.copied ?? 0} copied`)
  if (classes !== null) parts.push(`${classes} classes`)
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'))
  const stages = Object.entries(ingest).map(([name, given]) => `  ${name}: ${JSON.stringify(given)}`)
  if (stages.length > 0) parts.push(`An ingest stage reads it back with:\n${stages.join('\n')}`)
  return parts.join('\n\n')
}
