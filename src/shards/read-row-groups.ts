import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { ParquetFile } from './open-parquet.js'

/**
 * The rows of a Parquet file, one row group in memory at a time: to read the next one ahead was slower, since twice the
 * objects outlive a collection of garbage. Bytes are views into their row group.
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
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    const rows = await parquetReadObjects({
      ...{ file, metadata, rowStart, rowEnd, compressors, utf8: false },
      columns: columns && [...columns],
    })
    if (rows.length !== rowEnd - rowStart)
      throw new Error(`${rows.length} of ${rowEnd - rowStart} rows of a row group`)
    yield rows
    rowStart = rowEnd
  }
}
