import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { asidePath, sweepFolder } from '../base/files/write-file-atomic.js'
import { patternOf, quoted } from './sql.js'

/** A DuckDB in memory that can read the given files and nothing else. */
export interface OpenDuckDb {
  readonly connection: DuckDBConnection
  close(): Promise<void>
}

/** What does not fit is spilled to a temporary folder. */
const memoryLimit = '1GB'

/**
 * Opens DuckDB. No file but `paths` can be read, none be written, no extension be loaded, and no setting be
 * changed.
 *
 * @param prepare statements that are run first
 * @param signal breaks a query off that runs
 */
export async function openDuckDb(
  paths: readonly string[],
  prepare: readonly string[] = [],
  signal?: AbortSignal,
): Promise<OpenDuckDb> {
  // Loaded only when it is used: it is large.
  const { DuckDBInstance } = await import('@duckdb/node-api')
  // Named so that what a killed program has spilled is removed by the next one.
  await sweepFolder(tmpdir())
  const folder = asidePath(join(tmpdir(), 'groundmill-duckdb'))
  await mkdir(folder, { mode: 0o700 })
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
    memory_limit: memoryLimit,
    temp_directory: folder,
  })
  const connection = await instance.connect()
  const interrupt = () => connection.interrupt()
  const close = async () => {
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
  return { connection, close }
}
