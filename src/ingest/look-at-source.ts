import { stat } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'
import type { IngestConfig } from './config.js'
import { openSource, withCard } from './open-source.js'
import { folderOf } from './read/source-files.js'
import type { SourceRow } from './read/source-row.js'
import { sources } from './sources.js'

/** Rows that are looked at. Fewer say nothing: a list may begin with some that are of no use. */
const firstRows = 20
/** What is read whole before its first row is known is looked into up to this size, in bytes. */
const largestWhole = 64 * 1024 * 1024

/**
 * Opens a source and looks at its first rows: whether its files are there and of its format, have its columns, and
 * whether its pictures are where it says. No picture is fetched or read.
 *
 * @param where the configuration is, for messages
 * @throws UserError where ingest would not get anything of it
 */
export async function lookAtSource(ingestConfig: IngestConfig, where?: string): Promise<void> {
  const { config } = await withCard(ingestConfig, where)
  const format = sources.find(({ name }) => name === config.format)
  const files = namedFiles(config)
  let bytes = 0
  for (const path of files) bytes += (await stat(path).catch(() => undefined))?.size ?? 0
  const source = await openSource(ingestConfig, where)
  try {
    if (format?.isWhole && bytes > largestWhole) return await requireFiles(files)
    const rows: SourceRow[] = []
    for await (const row of source.rows()) if (rows.push(row) === firstRows) break
    if (rows.length === 0) throw new UserError(`${files[0] ?? format?.name} has no rows to ingest.`)
    await lookAtRows(rows)
  } finally {
    await source.close()
  }
}

/** Files and folders that a source is read from; of a pattern the folder. */
export async function sourcePlaces(ingestConfig: IngestConfig): Promise<string[]> {
  return namedFiles((await withCard(ingestConfig)).config).map(folderOf)
}

/** Paths that a configuration of any format names as files that its rows are read from. */
const namedFiles = (config: object): string[] =>
  ['path', 'captions', 'instances', 'classes', 'image_list', 'image_labels'].flatMap((key) => {
    const path = (config as Readonly<Record<string, unknown>>)[key]
    return typeof path === 'string' ? [path] : []
  })

async function requireFiles(files: readonly string[]): Promise<void> {
  for (const path of files)
    if (!/[*?{]/.test(path) && !(await stat(path).catch(() => undefined)))
      throw new UserError(`Cannot read ${path}: there is no such file or folder.`)
}

async function lookAtRows(rows: readonly SourceRow[]): Promise<void> {
  if (rows.length < firstRows) return
  const [first] = rows
  if (first?.problem && rows.every(({ problem }) => problem !== null))
    throw new UserError(
      `none of the first ${firstRows} rows can be used (${first.problem.reason}: ${first.problem.detail}).`,
    )
  const missing = await Promise.all(rows.map(isMissing))
  if (missing.every(Boolean))
    throw new UserError(
      `none of the pictures of the first ${firstRows} rows is there: the first should be ${first?.file}.`,
    )
}

/** Whether a row's picture is a file that is not there. */
async function isMissing({ file, elsewhere, load }: SourceRow): Promise<boolean> {
  if (file === null || load !== null) return false
  for (const path of [file, ...elsewhere]) if (await stat(path).catch(() => undefined)) return false
  return true
}
