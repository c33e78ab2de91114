import { UserError } from '../../base/user-error.js'
import { type CellRow, csvRows, tsvRows } from '../read/read-cells.js'
import { type Mark, problemRow, type SourceRow } from '../read/source-row.js'
import { columnIndex, columnsUsed, pairColumns, pairOf } from './columns.js'
import type { IngestConfig } from './config.js'

type RowReader = (path: string, from?: Mark) => AsyncGenerator<CellRow>

/**
 * Pairs from tab-separated values. With a header (the default) columns are named, `url` and `caption` unless said
 * otherwise; without one they are numbered: CC3M is caption, then url. Tabs are not quoted in these files, so a
 * quotation mark is a character like any other.
 */
export const readTsv = (config: IngestConfig & { path: string }, from?: Mark): AsyncGenerator<SourceRow> =>
  readTable(tsvRows, config, from)

/** Pairs from comma-separated values (RFC 4180): a quoted cell may hold commas, line ends and doubled quotes. */
export const readCsv = (config: IngestConfig & { path: string }, from?: Mark): AsyncGenerator<SourceRow> =>
  readTable(csvRows, config, from)

async function* readTable(
  rows: RowReader,
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { path, header = true } = config
  const columns = pairColumns(config)
  const head = header ? await readHeader(rows, path) : undefined
  const places = new Map(
    columnsUsed(columns).map((column) => [column, columnIndex(column, head?.names, path)] as const),
  )
  const needed = Math.max(...[columns.url, columns.caption].map((column) => places.get(column) as number)) + 1
  const start = from ?? head?.next
  if (head && !start) return
  for await (const { mark, cells, problem } of rows(path, start)) {
    const place = `${path}:${mark.line}`
    if (!cells) yield problemRow(mark, place, problem)
    else if (cells.length < needed) yield problemRow(mark, place, `${cells.length} columns, ${needed} needed`)
    else yield pairOf(mark, place, columns, (column) => cells[places.get(column) as number])
  }
}

interface Header {
  readonly names: readonly string[]
  /** The first row, if there is one. */
  readonly next?: Mark
}

async function readHeader(rows: RowReader, path: string): Promise<Header> {
  let names: readonly string[] | undefined
  for await (const { mark, cells } of rows(path)) {
    if (names) return { names, next: mark }
    if (!cells) break
    names = cells
  }
  if (names) return { names }
  throw new UserError(`${path} has no header: a first line with column names was expected.`)
}
