import { openAsBlob } from 'node:fs'
import { access } from 'node:fs/promises'
import { tableFromIPC } from 'apache-arrow'
import * as parquet from 'parquet-wasm'
import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { type Mark, pairRow, type SourceRow } from './source-row.js'

/** Pairs from the named columns of a Parquet file, a row group in memory at a time. */
export async function* readParquetPairs(
  config: IngestConfig & { path: string },
  from: Mark = { at: 0, line: 0 },
): AsyncGenerator<SourceRow> {
  const { path, columns = { url: 'url', caption: 'caption' } } = config
  const file = await open(path)
  const known = tableFromIPC(file.schema().intoIPCStream()).schema.fields.map(({ name }) => name)
  const names = [columns.url, columns.caption].map((column) => {
    const name = typeof column === 'number' ? known[column] : column
    if (name !== undefined && known.includes(name)) return name
    throw new UserError(`${path} has no column "${column}"; it has: ${known.join(', ')}.`)
  })
  const metadata = file.metadata()
  let row = 0
  for (let group = 0; group < metadata.numRowGroups(); group++) {
    const size = metadata.rowGroup(group).numRows()
    if (row + size <= from.at) {
      row += size
      continue
    }
    const table = await readGroup(file, group, names, path)
    const url = table.getChild(names[0])
    const caption = table.getChild(names[1])
    for (let index = 0; index < table.numRows; index++, row++) {
      if (row >= from.at)
        yield pairRow({ at: row, line: 0 }, `${path} row ${row}`, url?.get(index), caption?.get(index))
    }
  }
}

async function readGroup(file: parquet.ParquetFile, group: number, columns: string[], path: string) {
  try {
    return tableFromIPC((await file.read({ rowGroups: [group], columns })).intoIPCStream())
  } catch (error) {
    throw new UserError(`${path} is damaged: row group ${group} cannot be read: ${String(error)}`)
  }
}

async function open(path: string): Promise<parquet.ParquetFile> {
  await access(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  return parquet.ParquetFile.fromFile(await openAsBlob(path)).catch((error: unknown) => {
    throw new UserError(`${path} is not a whole Parquet file: ${String(error)}`)
  })
}
