import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { openParquet } from '../shards/open-parquet.js'
import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { type Mark, pairRow, type SourceRow } from './source-row.js'

/** Pairs from the named or numbered columns of a Parquet file, a row group of those columns in memory at a time. */
export async function* readParquetPairs(
  config: IngestConfig & { path: string },
  from: Mark = { at: 0, line: 0 },
): AsyncGenerator<SourceRow> {
  const { path, columns = { url: 'url', caption: 'caption' } } = config
  const { file, metadata, close } = await openParquet(path).catch(damaged(path))
  try {
    const known = topColumns(metadata.schema)
    const [url, caption] = [columns.url, columns.caption].map((column) => {
      const name = typeof column === 'number' ? known[column] : column
      if (name !== undefined && known.includes(name)) return name
      throw new UserError(`${path} has no column "${column}"; it has: ${known.join(', ')}.`)
    })
    let rowEnd = 0
    for (const group of metadata.row_groups) {
      const groupStart = rowEnd
      rowEnd += Number(group.num_rows)
      const rowStart = Math.max(from.at, groupStart)
      if (rowStart >= rowEnd) continue
      const part = { file, metadata, rowStart, rowEnd, columns: [url, caption], compressors }
      const rows = await parquetReadObjects(part).catch(damaged(path))
      for (const [index, row] of rows.entries()) {
        const at = rowStart + index
        yield pairRow({ at, line: 0 }, `${path} row ${at}`, row[url], row[caption])
      }
    }
  } finally {
    await close()
  }
}

/** Names of the columns at the top of a schema, which lists them depth first behind its root. */
function topColumns(schema: readonly { readonly name: string; readonly num_children?: number }[]): string[] {
  const names: string[] = []
  let at = 1
  const skip = () => {
    const { num_children = 0 } = schema[at++]
    for (let child = 0; child < num_children; child++) skip()
  }
  while (at < schema.length) {
    names.push(schema[at].name)
    skip()
  }
  return names
}

/** Rethrows what is wrong with the file, without the advice that is given for shards of our own. */
const damaged = (path: string) => (error: unknown) => {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UserError) throw new UserError(message.replace(/ Delete it and its .*$/, ''))
  throw new UserError(`${path} is damaged: ${message}`)
}
