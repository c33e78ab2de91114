import { counted } from '../../base/counted.js'
import { nameList } from '../../base/name-list.js'
import { UserError } from '../../base/user-error.js'
import { describeChosen } from '../../catalog/choose-stage.js'
import { onlyText } from '../../export/only-keys.js'
import { datasetOutput } from '../../pipeline/dataset-output.js'
import { reviewsOf } from '../../review/effective-reviews.js'
import type { ExchangeFormatName } from '../../review/exchange/exchange-formats.js'
import { exportReview, type ReviewExportReport } from '../../review/exchange/export-review.js'
import { readReviews } from '../../review/read-reviews.js'
import { listReviews } from '../../review/review-files.js'
import type { Storage } from '../../storage/storage.js'
import { openNamed } from '../options/named-grounding.js'
import { formatTable } from '../terminal/format-table.js'
import { note, print, printJson, say } from '../terminal/print.js'
import { createProgress } from '../terminal/progress.js'

export interface ReviewExportCommandOptions {
  readonly format: ExchangeFormatName
  readonly out: string
  readonly only?: string
  readonly name?: string
  readonly pictures?: string
  readonly pictureUrl?: string
  readonly json?: boolean
}

/** `groundmill review export`: boxes as a file of a labelling tool. */
export async function exportForReview(
  named: string,
  options: ReviewExportCommandOptions,
  signal: AbortSignal,
): Promise<void> {
  const { format, out, only, name, pictures, pictureUrl } = options
  const { dataset, grounding } = await openNamed(named)
  note(`exporting ${describeChosen(dataset, 'grounding', grounding)}`)
  const output = await datasetOutput(dataset, 'grounding', grounding)
  const { storage, shards } = dataset
  const source = {
    ...{ name: dataset.name, storage, shards, grounding, phrases: output.phrases ?? grounding },
    ...(output.selection !== undefined && { selection: output.selection }),
  }
  const progress = createProgress()
  const report = await exportReview(source, {
    ...{ format, out, only, pictures, pictureUrl, signal },
    ...(name !== undefined && { reviewed: await reviewedIn(storage, name) }),
    onProgress: (done, total) => progress.update(out, done, total),
  })
  progress.finish(
    `✓ ${out}  export ${report.id}: ${counted(report.pictures, 'picture')}, ${counted(report.phrases, 'phrase')}, ${counted(report.boxes, 'box')} as ${format}`,
  )
  if (report.only) progress.finish(`  ${onlyText(report.only)}`)
  if (options.json) return printJson(report)
  print(reportText(report, named, options))
}

/** The pictures of a review that somebody has looked at. */
async function reviewedIn(storage: Storage, name: string): Promise<ReadonlySet<string>> {
  const known = await listReviews(storage)
  if (!known.includes(name))
    throw new UserError(
      `${storage.url} has no review ${nameList([name])}${known.length > 0 ? `; it has: ${nameList(known)}` : ' yet'}.`,
    )
  const entries = reviewsOf(await readReviews(storage, name, say))
  return new Set(entries.filter(({ action }) => action === 'done').map(({ key }) => key))
}

function reportText(
  { leftOut, missing, beside, file }: ReviewExportReport,
  named: string,
  { format }: ReviewExportCommandOptions,
): string {
  const parts: string[] = []
  const reasons = Object.entries(leftOut)
  if (reasons.length > 0) parts.push(formatTable(['left out because', 'count'], reasons))
  if (missing.length > 0)
    parts.push(`without ${counted(missing.length, 'shard')}, of which the grounding is not made yet`)
  if (beside !== null)
    parts.push(
      format === 'cvat'
        ? `${beside}: the labels of the task (Constructor, Raw)`
        : `${beside}: the labelling configuration of the project`,
    )
  const who = format === 'label-studio' ? '' : ' --reviewer WHO'
  parts.push(
    `What comes back is read with:\n  groundmill review import ${named.replace(/:[a-z0-9-]+$/, '')} ${file} --format ${format} --name NAME${who}`,
  )
  return parts.join('\n')
}
