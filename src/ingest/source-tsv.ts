import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { readLines } from './read-lines.js'
import { type Mark, pairRow, problemRow, type SourceRow } from './source-row.js'

/**
 * Pairs from tab-separated values. With a header (the default) columns are named, `url` and `caption` unless said
 * otherwise; without one they are numbered: CC3M is caption, then url. Tabs are not quoted in these files, so a
 * quotation mark is a character like any other.
 */
export async function* readTsv(
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { path, header = true, columns = { url: 'url', caption: 'caption' } } = config
  const head = header ? await readHeader(path) : undefined
  const url = columnIndex(columns.url, head?.names, path)
  const caption = columnIndex(columns.caption, head?.names, path)
  const needed = Math.max(url, caption) + 1
  const start = from ?? head?.next
  if (head && !start) return
  for await (const line of readLines(path, start)) {
    const place = `${path}:${line.mark.line}`
    if (line.text === null) yield problemRow(line.mark, place, line.problem)
    else {
      const cells = line.text.split('\t')
      if (cells.length >= needed) yield pairRow(line.mark, place, cells[url], cells[caption])
      else yield problemRow(line.mark, place, `${cells.length} columns, ${needed} needed`)
    }
  }
}

interface Header {
  readonly names: readonly string[]
  /** The first row, if there is one. */
  readonly next?: Mark
}

async function readHeader(path: string): Promise<Header> {
  let names: readonly string[] | undefined
  for await (const { mark, text } of readLines(path)) {
    if (names) return { names, next: mark }
    if (text === null) break
    names = text.split('\t')
  }
  if (names) return { names }
  throw new UserError(`${path} has no header: a first line with column names was expected.`)
}

function columnIndex(column: string | number, names: readonly string[] | undefined, path: string): number {
  if (!names && typeof column === 'string')
    throw new UserError(`${path} has no header: name its columns by number, not "${column}".`)
  const index = typeof column === 'number' ? column : (names ?? []).indexOf(column)
  if (index === -1 || (names && index >= names.length))
    throw new UserError(`${path} has no column "${column}"; it has: ${(names ?? []).join(', ')}.`)
  return index
}
