import { openAsBlob } from 'node:fs'
import { access } from 'node:fs/promises'
import { tableFromIPC } from 'apache-arrow'
import * as parquet from 'parquet-wasm'
import { UserError } from '../user-error.js'
import { familyPath } from './family-path.js'
import { rowsOf } from './record-batch.js'
import type { Families, Family } from './rows.js'
import type { Storage } from './storage.js'

export interface ReadOptions<Column extends string = string> {
  /** Top-level columns to read; the others are absent from the rows. */
  readonly columns?: readonly Column[]
}

/**
 * Streams the rows of a shard, one row group in memory at a time.
 *
 * @throws UserError where the file is missing, cut short or not Parquet
 */
export async function* readShard<F extends Family, Column extends keyof Families[F] & string>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  { columns }: ReadOptions<Column> = {},
): AsyncGenerator<Pick<Families[F], Column>, void, void> {
  const path = storage.path(familyPath(family, stage, shard, 'parquet'))
  const file = await openParquet(path)
  try {
    const groups = file.metadata().numRowGroups()
    for (let group = 0; group < groups; group++) {
      const table = await file
        .read({ rowGroups: [group], ...(columns ? { columns: [...columns] } : {}) })
        .catch((error: unknown) => {
          throw damaged(path, error)
        })
      for (const batch of tableFromIPC(table.intoIPCStream()).batches) {
        for (const row of rowsOf(batch)) yield row as unknown as Pick<Families[F], Column>
      }
    }
  } finally {
    file.free()
  }
}

async function openParquet(path: string): Promise<parquet.ParquetFile> {
  // openAsBlob does not say why it fails.
  await access(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  const blob = await openAsBlob(path)
  return parquet.ParquetFile.fromFile(blob).catch((error: unknown) => {
    throw damaged(path, error)
  })
}

function damaged(path: string, error: unknown): UserError {
  const cause = error instanceof Error ? error.message : String(error)
  return new UserError(
    `${path} is damaged or cut short (${cause}). Delete it and its .json record, and run the pipeline again to make it anew.`,
  )
}
