import { isUtf8 } from 'node:buffer'
import type { Mark } from './mark.js'
import { readUtf8 } from './read-utf8.js'

/** Longer lines are not held: no caption is that long, and a file without line ends would fill the memory. */
export const maxLineBytes = 1 << 20

export type Line = { readonly mark: Mark } & (
  | {
      readonly text: string
      /** Whether the line ended in a carriage return, which the text is without. */
      readonly hadReturn: boolean
    }
  /** Why the line has no text. */
  | { readonly text: null; readonly problem: string }
)

const [lineFeed, carriageReturn] = [10, 13]

/**
 * The byte that ends the lines of a file, by its first bytes: a line feed, perhaps behind a carriage return; in
 * files of the old Mac, whose beginning has no line feed, the carriage return alone.
 */
const lineEndIn = (beginning: Buffer): number =>
  beginning.includes(carriageReturn) && !beginning.includes(lineFeed) ? carriageReturn : lineFeed

/** As `lineEndIn`; undefined where reading begins there, so that the first chunk tells. */
async function lineEndBefore(path: string, at: number): Promise<number | undefined> {
  if (at === 0) return undefined
  for await (const beginning of readUtf8(path)) return lineEndIn(beginning)
  return undefined
}

/**
 * Lines of a file of UTF-8 or UTF-16, compressed or not, from a mark on, without their ends and without the
 * byte order mark.
 *
 * @param maxBytes bytes of a line that is given; a longer one is a problem
 */
export async function* readLines(
  path: string,
  from: Mark = { at: 0, line: 1 },
  maxBytes = maxLineBytes,
): AsyncGenerator<Line> {
  let { at, line } = from
  let parts: Buffer[] = []
  let length = 0
  const take = (): Line => {
    const mark = { at, line }
    const bytes = Buffer.concat(parts)
    parts = []
    if (length > maxBytes) return { mark, text: null, problem: `line over ${maxBytes >> 20} MiB` }
    if (!isUtf8(bytes)) return { mark, text: null, problem: 'not UTF-8' }
    const hadReturn = bytes.at(-1) === carriageReturn
    const text = bytes.toString('utf8', 0, bytes.length - (hadReturn ? 1 : 0))
    return { mark, text: at === 0 ? text.replace(/^\uFEFF/, '') : text, hadReturn }
  }
  let lineEnd = await lineEndBefore(path, at)
  for await (const chunk of readUtf8(path, at)) {
    lineEnd ??= lineEndIn(chunk)
    let start = 0
    for (let end = chunk.indexOf(lineEnd); end !== -1; end = chunk.indexOf(lineEnd, start)) {
      length += end - start
      if (length <= maxBytes) parts.push(chunk.subarray(start, end))
      yield take()
      at += length + 1
      line++
      length = 0
      start = end + 1
    }
    length += chunk.length - start
    if (length <= maxBytes) parts.push(chunk.subarray(start))
    else parts = []
  }
  if (length > 0) yield take()
}

/** A piece of a file of lines: where those lines begin that begin in it, and its bytes. */
export interface LinePiece {
  readonly marks: readonly Mark[]
  /** Place of its first byte. */
  readonly at: number
  readonly bytes: Uint8Array
}

/**
 * Where the lines that `readLines` gives begin, piece by piece of the file: a list of hundreds of millions is
 * planned as fast as its line ends are found and its bytes are hashed.
 */
export async function* linePieces(path: string, from: Mark = { at: 0, line: 1 }): AsyncGenerator<LinePiece> {
  let { at, line } = from
  let chunkStart = at
  let lineEnd = await lineEndBefore(path, at)
  for await (const bytes of readUtf8(path, at)) {
    lineEnd ??= lineEndIn(bytes)
    const chunkEnd = chunkStart + bytes.length
    const marks: Mark[] = []
    // A line that has a byte is there: behind the last line end there is none.
    while (at < chunkEnd) {
      if (at >= chunkStart) marks.push({ at, line })
      const end = bytes.indexOf(lineEnd, Math.max(0, at - chunkStart))
      if (end === -1) break
      at = chunkStart + end + 1
      line++
    }
    yield { marks, at: chunkStart, bytes }
    chunkStart = chunkEnd
  }
}
