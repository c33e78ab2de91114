import type { Mark } from './mark.js'
import { type Line, maxLineBytes, readLines } from './read-lines.js'

/** A row of a table. */
export type CellRow = { readonly mark: Mark } & (
  | { readonly cells: readonly string[]; readonly problem?: undefined }
  | { readonly cells?: undefined; readonly problem: string }
)

/** Rows of tab-separated values: a line each, its cells as they are written. */
export async function* tsvRows(path: string, from?: Mark): AsyncGenerator<CellRow> {
  for await (const line of readLines(path, from)) {
    if (line.text === null) yield { mark: line.mark, problem: line.problem }
    else yield { mark: line.mark, cells: withoutReturns(line.text).split('\t') }
  }
}

/** Rows of tab-separated values whose cells may be quoted as those of CSV are: pandas writes them so. */
export const quotedTsvRows = (path: string, from?: Mark): AsyncGenerator<CellRow> =>
  quotedRows(path, '\t', from, false)

/**
 * Rows of comma-separated values (RFC 4180).
 *
 * @param keepsReturns whether a line end within a cell stays as it is, in place of a line feed
 */
export const csvRows = (path: string, from?: Mark, keepsReturns = false): AsyncGenerator<CellRow> =>
  quotedRows(path, ',', from, keepsReturns)

/**
 * Rows whose cells may stand in quotation marks, doubled ones within, and then hold delimiters and line ends.
 * A mark within a cell that does not begin with one is a character like any other. A row that cannot be read
 * so, such as one whose mark is not closed within a MiB, costs its own first line alone: the lines behind it
 * are read again as if it were not there.
 */
async function* quotedRows(
  path: string,
  delimiter: string,
  from: Mark | undefined,
  keepsReturns: boolean,
): AsyncGenerator<CellRow> {
  const lines = readLines(path, from)
  const pushedBack: Line[] = []
  const next = async (): Promise<Line | undefined> => {
    const line = pushedBack.shift() ?? (await lines.next()).value
    return line ?? undefined
  }
  try {
    for (let first = await next(); first; first = await next()) {
      if (first.text === null) {
        yield { mark: first.mark, problem: first.problem }
        continue
      }
      const record: OpenRecord = { cells: [], quoted: null }
      const continuation: Line[] = []
      let problem = takeLine(record, first.text, delimiter)
      let { length } = first.text
      let { hadReturn } = first
      while (problem === undefined && record.quoted !== null) {
        const line = length > maxLineBytes ? undefined : await next()
        if (line) continuation.push(line)
        if (!line || line.text === null) {
          problem = notClosed
          break
        }
        length += line.text.length + 1
        record.quoted += `${keepsReturns && hadReturn ? '\r' : ''}\n`
        hadReturn = line.hadReturn
        // What goes on behind a mark on a later line shows that it closes no cell: the first mark was none.
        if (takeLine(record, line.text, delimiter) !== undefined) problem = notClosed
      }
      if (problem === undefined) yield { mark: first.mark, cells: record.cells }
      else {
        pushedBack.unshift(...continuation)
        yield { mark: first.mark, problem }
      }
    }
  } finally {
    await lines.return(undefined)
  }
}

const notClosed = `a quotation mark is not closed, or not within ${maxLineBytes >> 20} MiB`

/** A row whose cells are being read. */
interface OpenRecord {
  readonly cells: string[]
  /** What there is of a quoted cell that goes on in the next line; null where none does. */
  quoted: string | null
}

/** Reads the cells of one more line of a row. Returns what is wrong with it, if anything is. */
function takeLine(record: OpenRecord, line: string, delimiter: string): string | undefined {
  for (let at = 0; ; at++) {
    if (record.quoted === null && line[at] === '"') {
      record.quoted = ''
      at++
    }
    if (record.quoted === null) {
      const end = line.indexOf(delimiter, at)
      record.cells.push(end === -1 ? withoutReturns(line.slice(at)) : line.slice(at, end))
      at = end === -1 ? line.length : end
    } else {
      const end = closingMark(line, at)
      record.quoted += line.slice(at, end === -1 ? undefined : end).replaceAll('""', '"')
      if (end === -1) return undefined
      record.cells.push(record.quoted)
      record.quoted = null
      at = end + 1
      if (at < line.length && withoutReturns(line.slice(at)) === '') return undefined
      if (at < line.length && line[at] !== delimiter)
        return `cell ${record.cells.length} goes on behind its closing quotation mark`
    }
    if (at >= line.length) return undefined
  }
}

/**
 * A line without the carriage returns at its end: Python on Windows writes \r\r\n, where a line end that was
 * written is made one of Windows.
 */
function withoutReturns(line: string): string {
  let end = line.length
  while (line[end - 1] === '\r') end--
  return line.slice(0, end)
}

/** Where a quoted cell ends that begins or goes on at a place: at the first mark that is not doubled. */
function closingMark(line: string, from: number): number {
  let end = line.indexOf('"', from)
  while (end !== -1 && line[end + 1] === '"') end = line.indexOf('"', end + 2)
  return end
}
