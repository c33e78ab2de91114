import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { UserError } from '../user-error.js'
import type { Mark } from './source-row.js'

/** Longer lines are not held: no caption is that long, and a file without line ends would fill the memory. */
const maxLine = 1 << 20

export type Line = { readonly mark: Mark } & (
  | { readonly text: string }
  /** Why the line has no text. */
  | { readonly text: null; readonly problem: string }
)

/** Lines of a UTF-8 file from a mark on, without their ends and without the byte order mark. */
export async function* readLines(path: string, from: Mark = { at: 0, line: 1 }): AsyncGenerator<Line> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  if (!found.isFile()) throw new UserError(`${path} is not a file.`)
  let { at, line } = from
  let parts: Buffer[] = []
  let length = 0
  const take = (): Line => {
    const mark = { at, line }
    const bytes = Buffer.concat(parts)
    parts = []
    if (length > maxLine) return { mark, text: null, problem: 'line over 1 MiB' }
    if (!isUtf8(bytes)) return { mark, text: null, problem: 'not UTF-8' }
    const text = bytes.toString('utf8').replace(/\r$/, '')
    return { mark, text: at === 0 ? text.replace(/^\uFEFF/, '') : text }
  }
  const stream = createReadStream(path, { start: at, highWaterMark: 1 << 18 })
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      length += end - start
      if (length <= maxLine) parts.push(chunk.subarray(start, end))
      yield take()
      at += length + 1
      line++
      length = 0
      start = end + 1
    }
    length += chunk.length - start
    if (length <= maxLine) parts.push(chunk.subarray(start))
    else parts = []
  }
  if (length > 0) yield take()
}
