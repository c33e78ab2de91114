import { readdir, readFile } from 'node:fs/promises'
import { readFooter } from '../../src/parquet/read-footer.js'
import { type RowsWanted, readRows } from '../../src/parquet/read-rows.js'

/** Files of pyarrow and their rows as JSON; bench/parity/parquet_fixtures.py writes them. */
export const fixtureFolder = new URL('../parquet/fixtures/', import.meta.url)

export interface ParquetFixture {
  readonly name: string
  readonly bytes: Uint8Array
}

export async function parquetFixtures(): Promise<ParquetFixture[]> {
  const names = (await readdir(fixtureFolder)).filter((name) => name.endsWith('.parquet')).sort()
  return Promise.all(
    names.map(async (name) => ({
      name,
      bytes: new Uint8Array(await readFile(new URL(name, fixtureFolder))),
    })),
  )
}

/** A Parquet file in memory. */
export function openedBytes(bytes: Uint8Array) {
  const end = bytes.length - 8
  if (end < 0) throw new Error('that is too short')
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true)
  const file = {
    byteLength: bytes.length,
    async slice(from: number, to = bytes.length) {
      if (!(from >= 0 && to >= from && to <= bytes.length)) throw new Error('that is not in the file')
      return new Uint8Array(bytes.subarray(from, to)).buffer
    },
  }
  return { file, footer: readFooter(bytes.subarray(Math.max(0, end - length), end)) }
}

/** The rows of a Parquet file in memory. */
export async function parquetRows(
  bytes: Uint8Array,
  wanted: RowsWanted = {},
): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for await (const row of readRows(openedBytes(bytes), wanted)) rows.push(row)
  return rows
}
