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
    else yield { mark: line.mark, cells: line.text.split('\t') }
  }
}

/**
 * Rows of comma-separated values (RFC 4180). A quotation mark that is never closed costs its own line alone:
 * the lines behind it are read again as if it were not there.
 *
 * @param keepsReturns whether a line end within a cell stays as it is, in place of a line feed
 */
export async function* csvRows(path: string, from?: Mark, keepsReturns = false): AsyncGenerator<CellRow> {
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
      const continuation: Line[] = []
      let text = first.text
      let isOpen = hasOpenQuote(text, false)
      let hadReturn = first.hadReturn
      while (isOpen && text.length <= maxLineBytes) {
        const line = await next()
        if (!line) break
        continuation.push(line)
        if (line.text === null) break
        text += `${keepsReturns && hadReturn ? '\r' : ''}\n${line.text}`
        hadReturn = line.hadReturn
        isOpen = hasOpenQuote(line.text, true)
      }
      if (isOpen) {
        pushedBack.unshift(...continuation)
        yield { mark: first.mark, problem: 'a quotation mark is not closed' }
      } else yield { mark: first.mark, ...parseCells(text) }
    }
  } finally {
    await lines.return(undefined)
  }
}

/** Whether a quoted cell goes on behind a text. Every quotation mark turns this over, doubled ones twice. */
function hasOpenQuote(text: string, isOpen: boolean): boolean {
  let open = isOpen
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) open = !open
  return open
}

function parseCells(text: string): { readonly cells: string[] } | { readonly problem: string } {
  const cells: string[] = []
  for (let at = 0; ; at++) {
    if (text[at] === '"') {
      let end = text.indexOf('"', at + 1)
      while (end !== -1 && text[end + 1] === '"') end = text.indexOf('"', end + 2)
      if (end === -1) return { problem: 'a quotation mark is not closed' }
      cells.push(text.slice(at + 1, end).replaceAll('""', '"'))
      at = end + 1
      if (at < text.length && text[at] !== ',')
        return { problem: `cell ${cells.length} goes on behind its closing quotation mark` }
    } else {
      const comma = text.indexOf(',', at)
      // Marks within a cell that does not begin with one are characters, as most readers take them.
      const cell = text.slice(at, comma === -1 ? undefined : comma)
      cells.push(cell)
      at += cell.length
    }
    if (at >= text.length) return { cells }
  }
}
