import { DuckDBInstance } from '@duckdb/node-api'

/** A caption of eight words and an address of about 80 characters, as lists from the web have them. */
const row = `
  'https://images-' || (i * 7919 % 9973) || '.example.org/photos/2019/' || md5(i::varchar) || '.jpg' as url,
  'a photo of thing' || (i % 30011) || ' and a ' || (i * 31 % 7001) || ' beside some wooden table' as caption`

/** Writes a list of pairs: tab-separated lines with a header, or Parquet as its own writer makes it. */
export async function writeList(path: string, rows: number, format: 'tsv' | 'parquet'): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const how = format === 'tsv' ? `format csv, delimiter '\t', header true` : 'format parquet'
    await connection.run(`copy (select ${row} from range(${rows}) t(i)) to '${path}' (${how})`)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
