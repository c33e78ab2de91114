import { counted } from '../../base/counted.js'
import { UserError } from '../../base/user-error.js'
import type { Mark } from '../../formats/mark.js'
import { type CellRow, csvRows, tsvRows } from '../../formats/read-cells.js'
import { linePieces } from '../../formats/read-lines.js'
import {
  type Column,
  captionNames,
  columnIndex,
  columnsUsed,
  type PairColumns,
  pairColumnsOf,
  pairOf,
} from './columns.js'
import { joinedPieces } from './joined-pieces.js'
import type { RepeatedNames } from './repeated-names.js'
import type { PlannedLines } from './source.js'
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
  config: TableConfig,
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { columns, places, isEmpty, first, width } = await openTable(rows, path, config)
  const minCells = neededCells(columns, places)
  const start = from ?? first
  if (isEmpty && !start) return
  for await (const { mark, cells, problem } of rows(path, start)) {
    const place = `${path}:${mark.line}`
    if (!cells) yield problemRow(mark, place, problem)
    else if (cells.length < minCells) {
      const hint = rows === tsvRows && cells.some(isHalfQuoted) ? quotedHint : ''
      yield problemRow(mark, place, `${counted(cells.length, 'column')}, ${minCells} needed${hint}`)
    } else if (cells.slice(width).some((cell) => cell.trim() !== '')) {
      const why = 'is a comma in a cell without quotation marks?'
      yield problemRow(
        mark,
        place,
        `${counted(cells.length, 'column')}, the first line has ${width} (${why})`,
      )
    } else yield pairOf(mark, place, columns, (column) => cells[places.get(column) as number])
  }
}

/** Cells that a row has at least. */
const neededCells = ({ url, caption }: PairColumns, places: ReadonlyMap<Column, number>) =>
  Math.max(...[url, caption].map((column) => places.get(column) as number)) + 1

/** Whether a quoted cell begins or ends here whose other end is on another line. */
const isHalfQuoted = (cell: string) => cell.startsWith('"') !== cell.endsWith('"')
const quotedHint = ' (a line of a quoted cell? then say `quoted: true`)'

/**
 * The pieces of a table whose rows are lines. The header alone is looked into, so that a column that is not there
 * is told now; where rows join, the cell that names the picture as well.
 */
export async function* tablePieces(
  path: string,
  config: TableConfig,
  names?: RepeatedNames,
): AsyncGenerator<PlannedLines> {
  const { columns, isEmpty, first, places } = await openTable(tsvRows, path, config)
  if (isEmpty) return
  const head = JSON.stringify([...places])
  const pieces = linePieces(path, first)
  if (!names) {
    for await (const piece of pieces) yield { ...piece, head }
    return
  }
  const cell = { place: places.get(columns.url) as number, count: neededCells(columns, places) }
  for await (const piece of joinedPieces(pieces, cell, names)) yield { ...piece, head }
}

/** The columns of a table and where its first row is; throws a UserError where it lacks one of them. */
async function openTable(
  rows: CellReader,
  path: string,
  { header = true, columns: columnNames }: TableConfig,
) {
  const head = header ? await readHeader(rows, path) : undefined
  const captions = captionNames.find((name) => head?.names.includes(name))
  const columns = pairColumnsOf({ ...(captions && { caption: captions }), ...columnNames })
  const places = new Map(
    columnsUsed(columns).map((column) => [column, columnIndex(column, head?.names, path)] as const),
  )
  // Commas are in captions too: a row with more cells than the others has one that cut its caption.
  const width = rows !== csvRows ? Number.POSITIVE_INFINITY : (head?.names.length ?? (await firstWidth(path)))
  return { columns, places, isEmpty: head !== undefined && !head.next, first: head?.next, width }
}

/** Cells of the first row of a CSV. */
async function firstWidth(path: string): Promise<number> {
  for await (const { cells } of csvRows(path)) return cells?.length ?? Number.POSITIVE_INFINITY
  return Number.POSITIVE_INFINITY
}

interface Header {
  readonly names: readonly string[]
  /** The first row, if there is one. */
  readonly next?: Mark
}

async function readHeader(rows: CellReader, path: string): Promise<Header> {
  let names: readonly string[] | undefined
  for await (const { mark, cells, problem } of rows(path)) {
    if (names) return { names, next: mark }
    if (!cells)
      throw new UserError(
        `${path}: its first line, which should name the columns, cannot be read: ${problem}.`,
      )
    if (cells[0]?.startsWith('PK\x03\x04'))
      throw new UserError(`${path} is a ZIP, perhaps a workbook of Excel: save it as CSV.`)
    if (cells.some((name) => name.includes('\0')))
      throw new UserError(`${path}: names of columns hold NUL characters. Is it UTF-16? Save it as UTF-8.`)
    names = cells
  }
  if (names) return { names }
  throw new UserError(`${path} has no header: a first line with column names was expected.`)
}
