import { stat } from 'node:fs/promises'
import { counted } from '../../base/counted.js'
import { unreadable } from '../../base/files/read-file.js'
import { openDataset } from '../../catalog/open-dataset.js'
import type { ExchangeFormatName } from '../../review/exchange/exchange-formats.js'
import { importReview, type ReviewImportReport } from '../../review/exchange/import-review.js'
import { formatTable } from '../terminal/format-table.js'
import { print, printJson, say } from '../terminal/print.js'
import { createProgress } from '../terminal/progress.js'

export interface ReviewImportCommandOptions {
  readonly format: ExchangeFormatName
  readonly name: string
  readonly reviewer?: string
  readonly export?: string
  readonly json?: boolean
}

/** `groundmill review import`: what was said in a labelling tool, as entries of a review. */
export async function importFromTool(
  url: string,
  file: string,
  options: ReviewImportCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const { format, name, reviewer, export: exchange } = options
  const { storage } = await openDataset(url)
  const { mtime } = await stat(file).catch(unreadable(file))
  const progress = createProgress()
  const report = await importReview(storage, {
    ...{ format, file, name, reviewer, exchange, signal, onNotice: say },
    at: new Date(Math.min(mtime.getTime(), Date.now())).toISOString(),
    onProgress: (pictures) => progress.update(file, pictures, 0),
  })
  progress.finish(
    `✓ ${file}  ${counted(report.pictures, 'picture')} of ${report.exported} that were exported, ${counted(report.reviewers.length, 'reviewer')}: ${counted(report.written, 'entry')} written to review ${name}`,
  )
  if (options.json) printJson(report)
  else print(reportText(report))
}

function reportText({
  said,
  known,
  passed,
  rejected,
  problems,
  turned,
  pictures,
}: ReviewImportReport): string {
  const parts: string[] = []
  if (pictures > 0) parts.push(formatTable(['said', 'count'], Object.entries(said).sort()))
  else parts.push('Nobody has said anything in it.')
  if (known > 0)
    parts.push(`${known} of them not written: they are in the review already, or older than what it says`)
  const { unfinished, cancelled } = passed
  if (unfinished > 0) parts.push(`${counted(unfinished, 'picture')} passed over: nobody has finished them`)
  if (cancelled > 0) parts.push(`${counted(cancelled, 'picture')} passed over: they were cancelled`)
  if (turned > 0) parts.push(`${counted(turned, 'box')} turned: the upright box around each was taken`)
  const reasons = Object.entries(rejected)
  if (reasons.length > 0) {
    parts.push(formatTable(['rejected because', 'count'], reasons))
    parts.push(
      problems
        .slice(0, 5)
        .map(({ place, detail }) => `- ${place}: ${detail}`)
        .join('\n'),
    )
  }
  return parts.join('\n')
}
