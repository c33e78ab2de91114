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
  const names = [String(columns.url), String(columns.caption)]
  const file = await open(path)
  const metadata = file.metadata()
  const known = tableFromIPC(file.schema().intoIPCStream()).schema.fields.map(({ name }) => name)
  for (const name of names) {
    if (!known.includes(name))
      throw new UserError(`${path} has no column "${name}"; it has: ${known.join(', ')}.`)
  }
  let row = 0
  for (let group = 0; group < metadata.numRowGroups(); group++) {
    const size = metadata.rowGroup(group).numRows()
    if (row + size <= from.at) {
      row += size
      continue
    }
    const table = tableFromIPC((await file.read({ rowGroups: [group], columns: names })).intoIPCStream())
    const url = table.getChild(names[0])
    const caption = table.getChild(names[1])
    for (let index = 0; index < table.numRows; index++, row++) {
      if (row >= from.at)
        yield pairRow({ at: row, line: 0 }, `${path} row ${row}`, url?.get(index), caption?.get(index))
    }
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
