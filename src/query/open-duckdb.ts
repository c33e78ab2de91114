import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { asidePath, sweepFolder } from '../base/files/write-file-atomic.js'
import { UserError } from '../base/user-error.js'
import { loadDuckDb } from './load-duckdb.js'
import { patternOf, quoted } from './sql.js'
import { watchMemory } from './watch-memory.js'

/** A DuckDB in memory that can read the given files and nothing else. */
export interface OpenDuckDb {
  readonly connection: DuckDBConnection
  /** What a query ended with, in the user's words where it took too much memory or disk. */
  explain(error: unknown): unknown
  close(): Promise<void>
}

/** What does not fit is spilled to a temporary folder. */
const memoryLimit = '1GB'
/** Sorting a large dataset takes some GB there; a query without an end would take the whole disk. */
const spillLimit = '32GB'

/**
 * Opens DuckDB. No file but `paths` can be read, none be written, no extension be loaded, and no setting be
 * changed.
 *
 * @param prepare statements that are run first
 * @param signal breaks a query off that runs
 * @param limit of the memory that tables and sorting take
 */
export async function openDuckDb(
  paths: readonly string[],
  prepare: readonly string[] = [],
  signal?: AbortSignal,
  limit = memoryLimit,
): Promise<OpenDuckDb> {
  const { DuckDBInstance } = await loadDuckDb()
  // Named so that what a killed program has spilled is removed by the next one.
  await sweepFolder(tmpdir())
  const folder = asidePath(join(tmpdir(), 'groundmill-duckdb'))
  await mkdir(folder, { mode: 0o700 })
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    memory_limit: limit,
    temp_directory: folder,
    max_temp_directory_size: spillLimit,
  })
  const connection = await instance.connect()
  const interrupt = () => connection.interrupt()
  const memory = watchMemory(interrupt, folder)
  const close = async () => {
    memory.stop()
    signal?.removeEventListener('abort', interrupt)
    connection.closeSync()
    instance.closeSync()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    signal?.throwIfAborted()
    signal?.addEventListener('abort', interrupt, { once: true })
    // DuckDB compares the text of the SQL, which is a pattern, with the allowed paths.
    const allowedPaths = [...new Set(paths.flatMap((path) => [path, patternOf(path)]))]
    await connection.run(`set allowed_paths = [${allowedPaths.map(quoted).join(', ')}]`)
    await connection.run('set enable_external_access = false')
    await connection.run('set lock_configuration = true')
    for (const statement of prepare) await connection.run(statement)
  } catch (error) {
    await close()
    throw error
  }
  return { connection, close, explain: (error) => memory.failure ?? tooMuch(error, limit) ?? error }
}

/** The error for a query that DuckDB has ended for what it took, whose own advice is about settings. */
function tooMuch(error: unknown, limit: string): UserError | undefined {
  const { message = '' } = Object(error) as Partial<Error>
  if (/Cannot create a string longer than/.test(message))
    return new UserError('A value of the result is longer than 512 MB: ask for a part of it (substr).')
  if (!/Out of Memory Error/.test(message)) return undefined
  const what = /max_temp_directory_size|temp directory|offload/i.test(message)
    ? `${spillLimit} of temporary files`
    : `${limit} of memory`
  return new UserError(
    `The query needs more than ${what}, which is its limit: ask for fewer rows or columns at a time.`,
    { cause: error },
  )
}
