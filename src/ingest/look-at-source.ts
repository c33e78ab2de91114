import { stat } from 'node:fs/promises'
import { UserError } from '../base/user-error.js'
import type { IngestConfig } from './config.js'
import { openSource, withCard } from './open-source.js'
import { folderOf } from './read/source-files.js'
import { sources } from './sources.js'

/** What is read whole before its first row is known is looked into up to this size, in bytes. */
const largestWhole = 64 * 1024 * 1024

/**
 * Opens a source and looks at its first row: whether its files are there and of its format, and have its columns. No
 * picture is fetched or read. A row that is of no use says nothing of those behind it: that is for ingest to tell.
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
  const { images, base_url: base } = config as { readonly images?: string; readonly base_url?: string }
  if (images !== undefined && base === undefined) await requireFiles([images])
  const source = await openSource(ingestConfig, where)
  try {
    if (format?.isWhole && bytes > largestWhole) return await requireFiles(files)
    const rows = source.rows()
    const first = await rows.next()
    // Its file is open until then.
    await rows.return(undefined)
    if (first.done) throw new UserError(`${files[0] ?? format?.name} has no rows to ingest.`)
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
