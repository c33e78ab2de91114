import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { ParquetFile } from './open-parquet.js'

/**
 * The rows of a Parquet file, a row group at a time; the next group is read while one is worked on, so that two are in
 * memory. Bytes are views into their row group.
 *
 * Read with hyparquet, since parquet-wasm ends the process on damaged pages, where nothing can catch it.
 *
 * @param columns top-level columns; all by default
 * @throws Error where the file is damaged
 */
export async function* readRowGroups(
  { file, metadata }: Pick<ParquetFile, 'file' | 'metadata'>,
  columns?: readonly string[],
): AsyncGenerator<readonly Record<string, unknown>[], void, void> {
  let rowStart = 0
  const groups = metadata.row_groups.map(({ num_rows }) => {
    const group = { rowStart, rowEnd: rowStart + Number(num_rows) }
    rowStart = group.rowEnd
    return group
  })
  const read = (index: number) => {
    const rows = parquetReadObjects({
      ...{ file, metadata, ...groups[index], compressors, utf8: false },
      columns: columns && [...columns],
    })
    // A failure is thrown when the group's turn comes, if it comes.
    rows.catch(() => {})
    return rows
  }
  let next = groups.length > 0 ? read(0) : undefined
  for (let index = 0; next; index++) {
    const rows = await next
    const wanted = groups[index].rowEnd - groups[index].rowStart
    if (rows.length !== wanted) throw new Error(`${rows.length} of ${wanted} rows of a row group`)
    next = index + 1 < groups.length ? read(index + 1) : undefined
    yield rows
  }
}
