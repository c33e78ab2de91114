import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { unreadable } from '../base/files/read-file.js'
import { watchZstdWindows } from '../base/files/zstd-windows.js'
import { UserError } from '../base/user-error.js'

/** Endings of files that are read as they are decompressed. */
export const compressedEndings = ['.gz', '.zst'] as const

/** What a file of any size may unpack to. */
const freeBytes = 2 ** 30
/** Beyond that: lists shrink to a fifth, seldom to a fiftieth; nothing but a trap to a thousandth. */
const mostTimes = 200

/** Whether the bytes of a file can only be reached by reading all before them. */
export const isCompressed = (path: string) => isGzip(path) || path.toLowerCase().endsWith('.zst')

const isGzip = (path: string) => /\.(gz|tgz)$/i.test(path)

/**
 * The bytes of a file from a place on; `.gz` (or `.tgz`) and `.zst` are decompressed, and the place is one of what comes
 * out.
 *
 * @param free what any file may unpack to
 * @throws UserError where it is missing, not a file, or damaged, or unpacks to far more than it is
 */
export async function* readBytes(path: string, start = 0, free = freeBytes): AsyncGenerator<Buffer> {
  const found = await stat(path).catch(unreadable(path))
  if (!found.isFile()) throw new UserError(`${path} is not a file.`)
  if (!isCompressed(path)) {
    yield* createReadStream(path, { start, highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>
    return
  }
  const file = createReadStream(path, { highWaterMark: 1 << 18 })
  let left = start
  let made = 0
  try {
    for await (const chunk of isGzip(path) ? gunzipped(file) : unzstd(file, path)) {
      made += chunk.length
      if (made > free && made > mostTimes * found.size)
        throw new UserError(
          `${path} unpacks to more than ${mostTimes} times its size, and is not read further.`,
        )
      if (chunk.length > left) yield left > 0 ? chunk.subarray(left) : chunk
      left = Math.max(0, left - chunk.length)
    }
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(`${path} is damaged or cut short: ${(error as Error).message}`)
  } finally {
    file.destroy()
  }
}

function gunzipped(file: Readable): AsyncIterable<Buffer> {
  const gunzip = createGunzip({ chunkSize: 1 << 18 })
  // A failure to read reaches whoever reads what comes out.
  file.on('error', (error) => gunzip.destroy(error))
  return file.pipe(gunzip)
}

/** zstd in JavaScript: Node's own came with version 22.15. */
async function* unzstd(file: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  let out: Uint8Array[] = []
  const decompress = new Decompress((chunk) => {
    out.push(chunk)
  })
  const watch = watchZstdWindows(path)
  for await (const chunk of file) {
    watch(chunk)
    decompress.push(chunk)
    for (const part of out) if (part.length > 0) yield Buffer.from(part.buffer, part.byteOffset, part.length)
    out = []
  }
  // It has given all it could: this throws where the last frame is not whole.
  decompress.push(new Uint8Array(0), true)
}
