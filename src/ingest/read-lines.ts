import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { UserError } from '../user-error.js'
import type { Mark } from './source-row.js'

/** Longer lines are not held: no caption is that long, and a file without line ends would fill the memory. */
const maxLine = 1 << 20

/** Lines of a UTF-8 file from a mark on, without their ends; `text` is null for a line over 1 MiB. */
export async function* readLines(
  path: string,
  from: Mark = { at: 0, line: 1 },
): AsyncGenerator<{ readonly mark: Mark; readonly text: string | null }> {
  const found = await stat(path).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`)
  })
  if (!found.isFile()) throw new UserError(`${path} is not a file.`)
  let { at, line } = from
  let parts: Buffer[] = []
  let length = 0
  const take = () => {
    const mark = { at, line }
    const text = length > maxLine ? null : Buffer.concat(parts).toString('utf8').replace(/\r$/, '')
    parts = []
    return { mark, text }
  }
  for await (const chunk of createReadStream(path, {
    start: at,
    highWaterMark: 1 << 18,
  }) as AsyncIterable<Buffer>) {
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
