import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { unreadable } from '../base/files/read-file.js'
import { watchZstdWindows } from '../base/files/zstd-windows.js'
import { UserError } from '../base/user-error.js'
import { openObject } from '../storage/open-storage.js'
import { isS3 } from '../storage/s3-storage.js'
import type { OpenObject } from '../storage/storage.js'

/** Endings of files that are read as they are decompressed. */
export const compressedEndings = ['.gz', '.zst'] as const

/** What a file of any size may unpack to. */
const freeBytes = 2 ** 30
/** Beyond that: lists shrink to a fifth, seldom to a fiftieth; nothing but a trap to a thousandth. */
const mostTimes = 200

/** Whether the bytes of a file can only be reached by reading all before them. */
export const isCompressed = (path: string) => isGzip(path) || nameOf(path).toLowerCase().endsWith('.zst')

/** A path without the settings that an address of a bucket has behind it. */
const nameOf = (path: string) => (isS3(path) ? path.replace(/\?.*$/, '') : path)

const isGzip = (path: string) => /\.(gz|tgz)$/i.test(nameOf(path))

/**
 * The bytes of a file, or of an object of a bucket (`s3://`), from a place on; `.gz` (or `.tgz`) and `.zst` are decompressed, and the place is one of what comes
 * out.
 *
 * @param free what any file may unpack to
 * @throws UserError where it is missing, not a file, or damaged, or unpacks to far more than it is
 */
export async function* readBytes(path: string, start = 0, free = freeBytes): AsyncGenerator<Buffer> {
  const found = await openBytes(path)
  if (!isCompressed(path)) {
    yield* found.from(start) as AsyncIterable<Buffer>
    return
  }
  const file = found.from(0)
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

/** A file, or an object of a bucket, whose bytes are read from a place on. */
interface OpenBytes {
  readonly size: number
  from(start: number): Readable
}

async function openBytes(path: string): Promise<OpenBytes> {
  if (isS3(path)) {
    const object = await openObject(path)
    return {
      size: object.size,
      from: (start) => Readable.from(partsOf(object, start), { objectMode: false }),
    }
  }
  const found = await stat(path).catch(unreadable(path))
  if (!found.isFile()) throw new UserError(`${path} is not a file.`)
  return { size: found.size, from: (start) => createReadStream(path, { start, highWaterMark: 1 << 18 }) }
}

/** Bytes of a part of an object: the first is small, for many look at the beginning alone. */
const [firstPart, largestPart] = [1 << 18, 1 << 23]

/** The bytes of an object, part by part, each larger than the one before. */
async function* partsOf(object: OpenObject, start: number): AsyncGenerator<Buffer> {
  let length = firstPart
  for (let at = start; at < object.size; ) {
    const end = Math.min(object.size, at + length)
    yield Buffer.from(await object.read(at, end))
    at = end
    length = Math.min(largestPart, 2 * length)
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
