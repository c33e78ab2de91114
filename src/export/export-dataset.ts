import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { programVersion } from '../base/files/program-version.js'
import { readTextIfThere } from '../base/files/read-file.js'
import { requireWritable } from '../base/files/require-writable.js'
import { asideSuffix } from '../base/files/write-file-atomic.js'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { croissantName, croissantText, missingAbout } from '../card/croissant.js'
import { describeFiles } from '../card/describe-files.js'
import type { NamedAudit } from '../card/ledger.js'
import { type Lineage, lineageHash, readLineage } from '../card/lineage.js'
import { GroupMemory } from '../parquet/group-memory.js'
import { acquireLock } from '../storage/lock.js'
import { openStorage } from '../storage/open-storage.js'
import { type Classes, checkClasses, findClasses } from './classes.js'
import type { ExportConfig } from './config.js'
import { ExportFolder, helperPrefix, readExport, reportName } from './export-folder.js'
import {
  type ExportRow,
  type ExportShard,
  type ExportSource,
  exportShards,
  readExportRows,
} from './export-rows.js'
import { count, countLost, type ExportSums, emptySums } from './export-sums.js'
import type { Format, Memory, RowWithFile, Writer } from './format.js'
import { formats } from './formats.js'
import { labelStages } from './label-stages.js'
import { findOnly, type OnlyKeys, type OnlyReport, readOnlyKeys } from './only-keys.js'
import { type PictureNames, pictureNames } from './picture-names.js'
import { pictureEnding, placePicture } from './place-picture.js'

/** What `export.json` says. */
export interface ExportReport extends ExportSums {
  readonly version: 1
  readonly dataset: string
  readonly grounding: string
  /** The stage whose negatives were taken, where it is another. */
  readonly negatives?: string
  readonly config: ExportConfig
  /** Hash of the data and the options: the same hash means the same bytes. */
  readonly hash: string
  /** Names in the list of classes; null where there is none. */
  readonly classes: number | null
  /** What they are: `categories`, `labels`, `heads`, `phrases`, or the text file of the user's. */
  readonly classes_of: string | null
  readonly notes: readonly string[]
  /** The pictures that were asked for, where not all were. */
  readonly only?: OnlyReport
  /** What an ingest stage reads it back with. */
  readonly ingest: Readonly<Record<string, object>>
  /** Shards of the dataset whose grounding was not there. */
  readonly missing: readonly string[]
  /** What croissant.json is asked for and nobody has said: its property, and the key of `card`. */
  readonly unsaid: readonly { readonly property: string; readonly key: string }[]
}

export interface ExportOptions {
  readonly config: ExportConfig
  /** The folder to make. */
  readonly out: string
  /** Whether another export that lies there is replaced. */
  readonly replace?: boolean
  /** Whether an export with the same hash is made anew as well. */
  readonly force?: boolean
  /** The licence of the dataset's card. */
  readonly license?: string | undefined
  /** What audits say of the grounding. */
  readonly audits?: readonly NamedAudit[]
  readonly signal?: AbortSignal
  readonly onProgress?: (rows: number, total: number) => void
  /** Told how many rows an earlier run has done. */
  readonly onResume?: (rows: number) => void
}

/** A higher number where the same configuration gives other bytes than before: part of the hash. */
const exportVersion = 3

/**
 * Exports a grounding with its pictures into a folder, which appears whole or not at all. A run that was
 * stopped goes on behind its last whole shard, and gives the same bytes as one that was not stopped. An
 * export that is already there with the same hash is left as it is.
 *
 * @throws UserError where the folder holds something else, or the format cannot do what is asked; LockedError
 *   where another process exports into it
 */
export async function exportDataset(
  source: ExportSource,
  options: ExportOptions,
): Promise<{ readonly report: ExportReport; readonly skipped: boolean }> {
  const { config, out, signal } = options
  const format = formats[config.format]
  checkConfig(config, format)
  const { complete: shards, missing } = await exportShards(source)
  if (shards.length === 0)
    throw new UserError(
      `${source.storage.url}: no shard of grounding "${source.grounding}" is there: run its stage first.`,
    )
  const only = config.only === undefined ? undefined : await readOnlyKeys(source, config.only)
  const lineage = await lineageOf(source, shards)
  const hash = hashOf(source, options, { shards, only, lineage })
  const target = resolve(out)
  const lockName = `${basename(target)}.lock`
  const what = `exporting ${source.name} as ${config.format}`
  const lock = await acquireLock(openStorage(dirname(target)), lockName, { what, wait: false })
  try {
    const existing = await readExport<ExportReport>(out)
    if (existing && !options.force) {
      if (existing.hash === hash) return { report: existing, skipped: true }
      if (!options.replace)
        throw new UserError(
          `${out} holds an export of other data or with other options: --force replaces it, -o names another folder.`,
        )
    }
    const stop = signal ? AbortSignal.any([signal, lock.signal]) : lock.signal
    const report = await makeExport(
      source,
      { ...options, signal: stop },
      { format, shards, missing, hash, only, lineage },
    )
    return { report, skipped: false }
  } finally {
    await lock.release()
  }
}

/** Whether a folder holds an export that was made of the same. Looks at it alone. */
export async function isExported(source: ExportSource, options: ExportOptions): Promise<boolean> {
  const text = await readTextIfThere(join(options.out, reportName))
  if (text === undefined) return false
  const { complete } = await exportShards(source)
  const { only } = options.config
  const keys = only === undefined ? undefined : await readOnlyKeys(source, only)
  try {
    const lineage = await lineageOf(source, complete)
    const hash = hashOf(source, options, { shards: complete, only: keys, lineage })
    return (JSON.parse(text) as Partial<ExportReport>).hash === hash
  } catch {
    return false
  }
}

const lineageOf = ({ storage, grounding }: ExportSource, shards: readonly ExportShard[]) =>
  readLineage({ storage, grounding, shards: shards.map(({ shard }) => shard) })

const hashOf = (
  source: ExportSource,
  // What is asked for counts by its keys, wherever they were read.
  { license, audits = [], config: { only: _, ...config } }: ExportOptions,
  { shards, only, lineage }: Pick<Plan, 'shards' | 'only' | 'lineage'>,
) =>
  hashJson([
    exportVersion,
    programVersion,
    source.name,
    source.grounding,
    license ?? null,
    config,
    shards.map(({ shard, hashes }) => [shard, hashes]),
    lineageHash(lineage),
    audits,
    ...(only ? [{ only: only.hash }] : []),
  ])

/** What an export is made of. */
interface Plan {
  readonly format: Format
  readonly shards: readonly ExportShard[]
  readonly missing: readonly string[]
  readonly hash: string
  readonly only: OnlyKeys | undefined
  readonly lineage: Lineage
}

async function makeExport(
  source: ExportSource,
  options: ExportOptions,
  { format, shards, missing, hash, only, lineage }: Plan,
): Promise<ExportReport> {
  const { config, out, signal, audits = [], license } = options
  const onlyReport = only && (await findOnly(source, shards, only))
  const labels = await neededLabels(source, shards, config, format)
  const classes = await classesOf(source, shards, config, format, labels, signal)
  const names = await pictureNames(source, shards, signal)
  const folder = await ExportFolder.open<Memory>(out, hash)
  try {
    const memory = folder.saved?.memory ?? { sums: emptySums(), counters: {}, licenses: [] }
    const papers = { lineage, audits }
    const context = { folder, config, source, shards, license, classes, names, memory, ...papers }
    const writer = await format.open(context)
    const run: ExportRun = {
      source,
      config,
      format,
      folder,
      writer,
      names,
      labels: classes.of === 'labels' ? labels : new Map(),
      sums: memory.sums,
      only,
      memory: new GroupMemory(),
    }
    const shardsDone = folder.saved?.shards ?? 0
    const total = shards.reduce((sum, { rows }) => sum + rows, 0)
    let done = shards.slice(0, shardsDone).reduce((sum, { rows }) => sum + rows, 0)
    if (shardsDone > 0) options.onResume?.(done)
    options.onProgress?.(done, total)
    for (const [index, { shard }] of shards.entries()) {
      if (index < shardsDone) continue
      const rows = wantedRows(run, shard, () => {
        signal?.throwIfAborted()
        options.onProgress?.(++done, total)
      })
      await writer.shard({ shard, index }, rowsWithFiles(run, shard, rows))
      await folder.checkpoint(index + 1, memory)
    }
    signal?.throwIfAborted()
    await writer.finish()
    // Pictures have the same bytes, linked or copied, and what is asked for is told by its keys.
    const { only: _, link_from: __, images, ...ownConfig } = config
    const configHash = hashJson({ ...ownConfig, images: images === 'link' ? 'copy' : images })
    const about = config.card ?? {}
    await folder.flush()
    await folder.write(
      croissantName,
      croissantText({
        ...{
          about,
          lineage,
          audits,
          made: { format: config.format, configHash, software },
        },
        files: await describeFiles(folder.path, format.inner ?? [], isNoData, (name) =>
          folder.hashOf(name, signal),
        ),
        layout: format.layout(context),
      }),
    )
    const report: ExportReport = {
      version: 1,
      dataset: source.name,
      grounding: source.grounding,
      ...(source.negatives && { negatives: source.negatives }),
      config,
      hash,
      ...memory.sums,
      classes: format.classes && classes.names.length > 0 ? classes.names.length : null,
      classes_of: format.classes && classes.names.length > 0 ? classes.of : null,
      notes: format.notes,
      ingest: format.ingest(out, config, memory.sums),
      missing,
      unsaid: missingAbout(about, lineage),
      ...(onlyReport && { only: onlyReport }),
    }
    signal?.throwIfAborted()
    const { complete } = await exportShards(source)
    const now = { shards: complete, only, lineage: await lineageOf(source, complete) }
    if (hashOf(source, options, now) !== hash)
      throw new Error(`${source.storage.url} was changed while it was exported: run the export again.`)
    await folder.publish(report)
    return report
  } finally {
    await folder.close()
  }
}

const software = `groundmill ${programVersion}`

/** Of an export's files those that are no data: what is said of them, and what only helps to make others. */
const isNoData = (name: string) =>
  [reportName, croissantName, 'README.md'].includes(name) ||
  name.startsWith(helperPrefix) ||
  name.endsWith(asideSuffix)

/** Throws a UserError where a format cannot do what is asked. */
function checkConfig({ format: name, images, link_from }: ExportConfig, format: Format) {
  if (images === 'link' && format.pictures === 'within')
    throw new UserError(
      `${name} holds the pictures within its own files: there is nothing to link. Leave --images out.`,
    )
  if (images === 'link' && !link_from)
    throw new UserError(
      'Pictures lie within the Parquet files of a dataset, so they are linked to files that you name: --images link --link-from FOLDER, the pictures of an earlier export or those that were ingested.',
    )
  if (images !== 'link' && link_from) throw new UserError('--link-from is for --images link.')
  if (images === 'url' && !format.urls)
    throw new UserError(`Readers of ${name} want the pictures themselves: leave --images url out.`)
}

/** The labels that boxes may be called by: what there is of proposals is read for that alone. */
async function neededLabels(
  source: ExportSource,
  shards: readonly ExportShard[],
  { classes }: ExportConfig,
  format: Format,
): Promise<ReadonlyMap<string, string>> {
  return format.classes && (classes === 'auto' || classes === 'labels')
    ? labelStages(source, shards)
    : new Map()
}

async function classesOf(
  source: ExportSource,
  shards: readonly ExportShard[],
  { classes }: ExportConfig,
  format: Format,
  labels: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<Classes> {
  const names = shards.map(({ shard }) => shard)
  if (format.classes) return findClasses(source, names, classes, labels, signal)
  await checkClasses(classes, false)
  return { of: classes, names: [], hasBox: () => false, indexOf: () => undefined, boxes: () => [] }
}

/** What all shards of an export are written with. */
interface ExportRun {
  readonly source: ExportSource
  readonly config: ExportConfig
  readonly format: Format
  readonly folder: ExportFolder<Memory>
  readonly writer: Writer
  readonly names: PictureNames
  /** For each shard the stage of proposals whose labels are classes. */
  readonly labels: ReadonlyMap<string, string>
  readonly sums: ExportSums
  readonly only: OnlyKeys | undefined
  /** What pictures are read to. */
  readonly memory: GroupMemory
}

/** The rows that are written; why the others are not is counted. */
async function* wantedRows(
  { source, config, format, writer, labels, sums, only, memory }: ExportRun,
  shard: string,
  onRow: () => void,
): AsyncGenerator<ExportRow, void, void> {
  const { images, keep_empty } = config
  const { leftOut, written } = sums
  for await (const row of readExportRows(source, shard, {
    pictures: images === 'url' ? undefined : memory,
    labels: labels.get(shard),
  })) {
    onRow()
    const isEmpty = writer.wants ? !writer.wants(row) : row.regions.length === 0
    const reason =
      (only && !only.keys.has(row.key) ? 'not_selected' : null) ??
      row.dropped ??
      (isEmpty && !keep_empty ? 'no_region' : images === 'url' && row.url === null ? 'no_url' : undefined)
    if (reason !== undefined) {
      count(leftOut.images, reason)
      count(leftOut.regions, reason, row.regions.length)
      continue
    }
    written.images++
    countLost(sums, row, format.lacks)
    yield row
  }
}

/** The rows with their pictures written, where they are files. */
async function* rowsWithFiles(
  { config, format, folder, names, sums }: ExportRun,
  shard: string,
  rows: AsyncGenerator<ExportRow, void, void>,
): AsyncGenerator<RowWithFile> {
  if (format.pictures === 'within' || config.images === 'url') {
    for await (const row of rows) yield { row, file: null, name: names.nameOf(row) }
    return
  }
  for await (const row of rows) {
    const name = names.nameOf(row)
    // A folder a shard: no file system likes a million names in one.
    const place = `${shard}/${name}.${pictureEnding(row.bytes)}`
    const file = `${format.folder?.(config)}/${place}`
    count(sums.pictures, await placePicture(await folder.loosePath(file), place, row, config.link_from))
    yield { row, file, name }
  }
}

/**
 * Looks whether an export can be made, before there is anything to export: whether its format can do what is asked,
 * its folder can be written and holds nothing else, and the files that it names are there. Nothing is made.
 *
 * @param out its folder
 * @throws UserError that says why not
 */
export async function checkExport(config: ExportConfig, out: string): Promise<void> {
  const format = formats[config.format]
  checkConfig(config, format)
  await checkClasses(config.classes, format.classes !== undefined)
  if (config.link_from !== undefined && !(await stat(config.link_from).catch(() => undefined))?.isDirectory())
    throw new UserError(`link_from: ${config.link_from} is no folder.`)
  const target = resolve(out)
  const found = await stat(target).catch(() => undefined)
  if (found && !found.isDirectory()) throw new UserError(`${out} is a file: name a folder.`)
  const names = await readdir(target).catch(() => [])
  if (names.length > 0 && !(await stat(join(target, reportName)).catch(() => undefined)))
    throw new UserError(`${out} is there and holds no export: name a new folder.`)
  await requireWritable(out)
}
