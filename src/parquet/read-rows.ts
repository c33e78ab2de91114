import { assembleRows } from './assemble-rows.js'
import type { GroupMemory } from './group-memory.js'
import { rowsWithColumns } from './list-columns.js'
import type { ByteSource, ParquetFile } from './open-parquet.js'
import { readColumns } from './read-columns.js'

export interface RowsWanted {
  /** Top-level columns; all by default. */
  readonly columns?: readonly string[]
  /** The first row, and the one behind the last; all by default. */
  readonly start?: number
  readonly end?: number
  /** Whether bytes of which the file does not say that they are text are given as text; not by default. */
  readonly bytesAsText?: boolean
  /** Where row groups are read to: bytes of a row are good until a row of the next group is asked for. */
  readonly memory?: GroupMemory | undefined
  /** A list of structs that rows have as `ListColumns`. */
  readonly columnar?: string | undefined
}

type Row = Record<string, unknown>

/**
 * Rows of a Parquet file, of any writer: the columns of one row group are in memory at a time (to read the
 * next one ahead was slower), and each row is made when it is asked for. Bytes are views into their row
 * group.
 *
 * Values are those of hyparquet: text, numbers (decimals too), booleans, Dates, what JSON text holds, bytes;
 * whole numbers of 64 bits are bigint. Lists are arrays, structs and maps objects. What is not there is null.
 *
 * It is not left to parquet-wasm, which ends the process on damaged pages, where nothing can catch it, nor as
 * a whole to hyparquet, whose decoders take the memory that a damaged page names.
 *
 * @throws Error where the file is damaged, in time and memory that are bounded by its size
 */
export async function* readRows(
  file: Pick<ParquetFile, 'file' | 'footer'>,
  wanted: RowsWanted = {},
): AsyncGenerator<Row, void, void> {
  for await (const rows of eachRowGroup(file, wanted)) yield* rows
}

/** As `readRows`, row group by row group: one waits for a group, and no longer for each of its rows. */
export async function* eachRowGroup(
  { file, footer }: Pick<ParquetFile, 'file' | 'footer'>,
  { columns, start = 0, end = Infinity, bytesAsText = false, memory, columnar }: RowsWanted = {},
): AsyncGenerator<Generator<Row, void, void>, void, void> {
  const source: ByteSource = memory
    ? { slice: (from, to) => file.slice(from, to, memory.take(to - from)) }
    : file
  let groupStart = 0
  for (const group of footer.groups) {
    const range = { start: Math.max(0, start - groupStart), end: Math.min(group.rows, end - groupStart) }
    groupStart += group.rows
    if (range.start >= range.end) continue
    memory?.begin()
    const leaves = await readColumns(source, footer.schema, group, {
      ...range,
      bytesAsText,
      ...(columns && { columns }),
    })
    const rows = { ...range, rows: group.rows, columns }
    yield columnar === undefined
      ? assembleRows(footer.schema, leaves, rows)
      : rowsWithColumns(footer.schema, leaves, rows, columnar)
  }
}
