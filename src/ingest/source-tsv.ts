import { UserError } from '../user-error.js'
import type { IngestConfig } from './config.js'
import { readLines } from './read-lines.js'
import { type Mark, pairRow, type SourceRow, sourceRow } from './source-row.js'

/**
 * Pairs from tab-separated values. With a header (the default) columns are named, `url` and `caption` unless said
 * otherwise; without one they are numbered: CC3M is caption, then url. Tabs are not quoted in these files.
 */
export async function* readTsv(
  config: IngestConfig & { path: string },
  from?: Mark,
): AsyncGenerator<SourceRow> {
  const { path, header = true, columns = { url: 'url', caption: 'caption' } } = config
  const names = header ? await headerOf(path) : undefined
  const url = columnIndex(columns.url, names, path)
  const caption = columnIndex(columns.caption, names, path)
  const start = from ?? (names ? { at: names.bytes, line: 2 } : undefined)
  for await (const { mark, text } of readLines(path, start)) {
    const place = `${path}:${mark.line}`
    const cells = text?.split('\t')
    const needed = Math.max(url, caption) + 1
    if (!cells || cells.length < needed) {
      const detail = cells
        ? `${place}: ${cells.length} columns, ${needed} needed`
        : `${place}: line over 1 MiB`
      yield sourceRow({ mark, place, problem: { reason: 'malformed_row', detail } })
    } else yield pairRow(mark, place, cells[url], cells[caption])
  }
}

interface Header {
  readonly names: readonly string[]
  readonly bytes: number
}

async function headerOf(path: string): Promise<Header> {
  for await (const { text } of readLines(path)) {
    if (text === null) break
    const bare = text.replace(/^\uFEFF/, '')
    // The line's own bytes and its end: a carriage return that was cut off counts too.
    const second = await secondLine(path)
    return { names: bare.split('\t'), bytes: second ?? Buffer.byteLength(text) + 1 }
  }
  throw new UserError(`${path} is empty: a header line with column names was expected.`)
}

/** Byte at which the second line begins. */
async function secondLine(path: string): Promise<number | undefined> {
  for await (const { mark } of readLines(path)) if (mark.line === 2) return mark.at
  return undefined
}

function columnIndex(column: string | number, header: Header | undefined, path: string): number {
  if (typeof column === 'number') return column
  if (!header) throw new UserError(`${path} has no header: name its columns by number, not "${column}".`)
  const index = header.names.indexOf(column)
  if (index === -1)
    throw new UserError(`${path} has no column "${column}"; it has: ${header.names.join(', ')}.`)
  return index
}
