import { counted } from '../base/counted.js'
import { parseConfig } from '../base/files/parse-config.js'
import { UserError } from '../base/user-error.js'
import { chooseStage, describeChosen } from '../catalog/choose-stage.js'
import { openDataset } from '../catalog/open-dataset.js'
import { exportConfig } from '../export/config.js'
import { checkExport, type ExportReport } from '../export/export-dataset.js'
import { onlyText } from '../export/only-keys.js'
import type { Pushed } from '../hub/push-folder.js'
import { datasetOutput } from '../pipeline/dataset-output.js'
import { exportKind } from '../pipeline/stages/export.js'
import type { StageOutput } from '../pipeline/stages/stage-context.js'
import { runStage } from '../pipeline/tasks/run-stage.js'
import type { PushedObjects } from '../storage/push-objects.js'
import { type PushAddress, pushAddress } from './papers/push-address.js'
import { auditsOf, readAbout } from './papers/read-papers.js'
import { formatTable } from './terminal/format-table.js'
import { note, print, printJson } from './terminal/print.js'
import { createProgress, duration } from './terminal/progress.js'
import { type RunFailure, tellFailure } from './terminal/run-end.js'

export interface ExportOptions {
  readonly as?: string
  readonly format: string
  readonly out: string
  readonly images?: string
  readonly linkFrom?: string
  readonly only?: string
  readonly keepEmpty?: boolean
  readonly classes?: string
  readonly split?: string
  readonly card?: string
  readonly negatives?: string
  readonly push?: string
  readonly private?: boolean
  readonly commitMessage?: string
  readonly force?: boolean
  readonly json?: boolean
}

/** `groundmill export`: a grounding and its pictures as a folder that other programs read. */
export async function exportCommand(url: string, options: ExportOptions, signal: AbortSignal): Promise<void> {
  const { format, images, linkFrom: link_from, only, keepEmpty: keep_empty, classes, split } = options
  const card = options.card === undefined ? undefined : await readAbout(options.card)
  const config = parseConfig(
    exportConfig,
    { format, images, link_from, only, keep_empty, classes, split, card },
    'groundmill export',
  )
  if (split !== undefined && !['hf', 'yolo'].includes(format))
    throw new UserError(`--split is for hf and yolo: ${format} names no split.`)
  const address = options.push === undefined ? undefined : pushAddress(options.push)
  const isHub = address !== undefined && 'hub' in address
  if (isHub && format !== 'hf')
    throw new UserError(
      `--push: the Hub takes --format hf; ${format} can be pushed to a bucket, s3://BUCKET/PREFIX.`,
    )
  if (!isHub && (options.private || options.commitMessage !== undefined))
    throw new UserError('--private and --commit-message are for --push hf://datasets/ORG/NAME.')
  if (address) await (await import('./papers/push-export.js')).checkPush(address, config)
  const dataset = await openDataset(url)
  const grounding = chooseStage(dataset, 'grounding', { requested: options.as, option: '--as STAGE' })
  note(`exporting ${describeChosen(dataset, 'grounding', grounding)}`)
  await checkExport(config, options.out)
  // Its own are known to the grounding; those of another stage are named.
  const negatives = options.negatives
    ? await datasetOutput(
        dataset,
        'negatives',
        chooseStage(dataset, 'negatives', { requested: options.negatives, option: '--negatives STAGE' }),
      )
    : undefined
  // Shards that have no grounding yet are named in the report.
  const source = { ...(await datasetOutput(dataset, 'grounding', grounding)), missing: [] }
  const audits = (await auditsOf(dataset, source)).map(
    ({ name, summary }): StageOutput => ({
      ...{ name: `audit ${name}`, labels: summary, missing: [] },
    }),
  )
  const others = [...(negatives ? [negatives] : []), ...audits]
  const { out, force } = options
  const progress = createProgress()
  progress.update(`${format} ${out}`, 0, 0)
  const { outcome, result } = await runStage(
    exportKind,
    { name: 'export', needs: [grounding, ...others.map(({ name }) => name)], with: { ...config, out } },
    { outputs: new Map([source, ...others].map((output) => [output.name, output])) },
    {
      signal,
      replace: force ? 'any' : 'none',
      onProgress: (_, done, total) => progress.update(`${format} ${out}`, done, total),
      onNotice: (_, text) => progress.note(`  ${text}`),
    },
  )
  const { report, skipped } = result
  const { seconds } = outcome
  const { written } = report
  progress.finish(
    `✓ ${options.out}  ${counted(written.images, 'picture')}, ${counted(written.captions, 'caption')}, ${boxesText(written)} as ${format}, ${skipped ? 'already done' : duration(seconds)}`,
  )
  if (report.missing.length > 0)
    progress.finish(
      `  without ${counted(report.missing.length, 'shard')}: grounding "${grounding}" is not made there yet`,
    )
  if (report.only) progress.finish(`  ${onlyText(report.only)}`)
  if (!options.json) print(reportText(report))
  const pushed =
    address && written.images > 0 ? await push(options, address, { ...report, signal }) : undefined
  const end = tellFailure(written.images === 0 ? nothingIn(url, grounding) : undefined)
  if (options.json)
    printJson({ out: options.out, skipped, seconds, ...report, ...(pushed && { pushed }), ...end })
}

/** Pushes the export that lies there, and says where it is. */
async function push(
  { out, push: to = '', private: isPrivate, commitMessage }: ExportOptions,
  address: PushAddress,
  { config, dataset, grounding, signal }: ExportReport & { readonly signal: AbortSignal },
): Promise<Pushed | PushedObjects> {
  const { pushExport } = await import('./papers/push-export.js')
  const progress = createProgress()
  const pushed = await pushExport(out, address, {
    ...{ format: config.format, split: config.split, isPrivate, signal },
    message: commitMessage ?? `${config.split} of ${dataset}:${grounding}, exported by groundmill`,
    onProgress: (done, total) => progress.update(`push ${to}, bytes`, done, total),
  })
  const { changed, same, removed } = pushed
  const what =
    changed + removed === 0
      ? 'already there'
      : `${counted(changed, 'file')} pushed, ${same} already there, ${removed} removed`
  const where = 'commit' in pushed ? `, commit ${pushed.commit.slice(0, 12)}: ${pushed.page}` : ''
  progress.finish(`✓ ${to}  ${what}${where}`)
  return pushed
}

/** Regions, and beside them the boxes of a file that has classes and no phrases. */
function boxesText({ regions, detections }: ExportReport['written']): string {
  const ofClasses = `${counted(detections, 'box')} of classes`
  if (detections === 0) return counted(regions, 'region')
  return regions === 0 ? ofClasses : `${counted(regions, 'region')} and ${ofClasses}`
}

/** An export without a picture is there for who looks for it, and is of no use. */
const nothingIn = (url: string, grounding: string): RunFailure => ({
  message: `no picture was exported: the grounding "${grounding}" of ${url} has no region in any; another one is named with --as, and --keep-empty keeps pictures without one`,
  code: 2,
})

/** What boxes are called, and how to have them called otherwise. */
function classesText(of: string | null): string {
  const known: Readonly<Record<string, string>> = {
    categories: 'the categories of the gold (--classes heads: what captions name as well)',
    labels: 'the labels of the detector (--classes heads: the head nouns of the phrases)',
    heads: 'the head nouns of the phrases (--classes FILE: a list of your own, a line each)',
    phrases: 'the phrases as they stand (--classes heads: their head nouns)',
  }
  return known[of ?? ''] ?? `the names of ${of}`
}

/** What was left out and what the format cannot hold, as tables. */
function reportText({
  leftOut,
  lost,
  notes,
  classes,
  classes_of,
  ingest,
  pictures,
  unsaid,
}: ExportReport): string {
  const parts: string[] = []
  const rows = Object.entries(leftOut).flatMap(([what, reasons]) =>
    Object.entries(reasons).map(([reason, count]) => [what === 'images' ? 'pictures' : what, reason, count]),
  )
  if (rows.length > 0) parts.push(formatTable(['left out', 'because', 'count'], rows))
  if (Object.keys(lost).length > 0)
    parts.push(formatTable(['the format does not hold', 'values'], Object.entries(lost)))
  if (pictures.linked)
    parts.push(`${counted(pictures.linked, 'picture')} linked, ${pictures.copied ?? 0} copied`)
  if (classes !== null) parts.push(`${classes} classes: ${classesText(classes_of)}`)
  if (unsaid.length > 0)
    parts.push(
      `croissant.json lacks what nobody has said; --card FILE says it: ${unsaid.map(({ property, key }) => `${key} (${property})`).join(', ')}`,
    )
  if (notes.length > 0) parts.push(notes.map((note) => `- ${note}`).join('\n'))
  const stages = Object.entries(ingest).map(([name, given]) => `  ${name}: ${JSON.stringify(given)}`)
  if (stages.length > 0) parts.push(`An ingest stage reads it back with:\n${stages.join('\n')}`)
  return parts.join('\n\n')
}
