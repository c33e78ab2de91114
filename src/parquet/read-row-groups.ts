import { parquetSchema } from 'hyparquet'
import { assembleRows } from './assemble-rows.js'
import type { ParquetFile } from './open-parquet.js'
import { readColumns } from './read-columns.js'

/**
 * The rows of a Parquet file: the columns of one row group are in memory at a time (to read the next one
 * ahead was slower), and each row is made when it is asked for. Bytes are views into their row group.
 *
 * Pages are read with hyparquet, since parquet-wasm ends the process on damaged ones, where nothing can catch
 * it.
 *
 * @param columns top-level columns; all by default
 * @throws Error where the file is damaged
 */
export async function* readRowGroups(
  opened: Pick<ParquetFile, 'file' | 'metadata'>,
  columns?: readonly string[],
): AsyncGenerator<Record<string, unknown>, void, void> {
  for await (const rows of eachRowGroup(opened, columns)) yield* rows
}

/** As `readRowGroups`, group by group: one waits for a group, and no longer for each of its rows. */
export async function* eachRowGroup(
  { file, metadata }: Pick<ParquetFile, 'file' | 'metadata'>,
  columns?: readonly string[],
): AsyncGenerator<Generator<Record<string, unknown>, void, void>, void, void> {
  const schema = parquetSchema(metadata)
  for (const group of metadata.row_groups) {
    const leaves = await readColumns(file, metadata, group, columns)
    yield assembleRows(schema, leaves, Number(group.num_rows))
  }
}
