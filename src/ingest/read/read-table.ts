import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import type { CellRow } from '../../formats/read-cells.js'
import { columnIndex, columnsUsed, type PairColumns, pairColumnsOf, pairOf } from './columns.js'
import { problemRow, type SourceRow } from './source-row.js'

/** Rows of cells of a file, such as `csvRows`. */
type CellReader = (path: string, from?: Mark) => AsyncGenerator<CellRow>

interface TableConfig {
  readonly header?: boolean
  readonly columns?: Partial<PairColumns>
}

/**
 * Pairs from a table. With a header (the default) columns are named, `url` and `caption` unless said
 * otherwise; without one they are numbered.
 */
export async function* readTable(
  rows: CellReader,
  path: string,
  { header = true, columns: columnNames }: TableConfig,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const columns = pairColumnsOf(columnNames)
  const head = header ? await readHeader(rows, path) : undefined
  const places = new Map(
    columnsUsed(columns).map((column) => [column, columnIndex(column, head?.names, path)] as const),
  )
  const minCells =
    Math.max(...[columns.url, columns.caption].map((column) => places.get(column) as number)) + 1
  const start = from ?? head?.next
  if (head && !start) return
  for await (const { mark, cells, problem } of rows(path, start)) {
    const place = `${path}:${mark.line}`
    if (!cells) yield problemRow(mark, place, problem)
    else if (cells.length < minCells)
      yield problemRow(mark, place, `${cells.length} columns, ${minCells} needed`)
    else yield pairOf(mark, place, columns, (column) => cells[places.get(column) as number])
  }
}

interface Header {
  readonly names: readonly string[]
  /** The first row, if there is one. */
  readonly next?: Mark
}

async function readHeader(rows: CellReader, path: string): Promise<Header> {
  let names: readonly string[] | undefined
  for await (const { mark, cells } of rows(path)) {
    if (names) return { names, next: mark }
    if (!cells) break
    names = cells
  }
  if (names) return { names }
  throw new UserError(`${path} has no header: a first line with column names was expected.`)
}
