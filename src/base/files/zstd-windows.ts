import { UserError } from '../user-error.js'

/** As zstd reads by itself (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`): of what needs more it asks for `--long`. */
const mostWindow = 2 ** 27
const [frameMagic, skippableMagic] = [0xfd2fb528, 0x184d2a50]
const headerBytes = { dictionary: [0, 1, 2, 4], size: [0, 2, 4, 8] } as const

/**
 * Watches the bytes of a zstd stream (RFC 8878, 3.1) before they are unpacked: a header of some bytes says how much memory
 * its frame needs.
 *
 * @returns a function that takes the stream's bytes in their order and throws a UserError at a frame whose window, which
 *   is the whole of a frame that is one segment, is larger than 128 MiB. What is no zstd it leaves to who unpacks it.
 */
export function watchZstdWindows(path: string): (chunk: Uint8Array) => void {
  const walk = frames(path)
  let want = walk.next().value
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    let at = 0
    while (want && at < chunk.length) {
      const taken = Math.min(chunk.length - at, want.bytes - held.length)
      if ('isSkipped' in want) want = { ...want, bytes: want.bytes - taken }
      else held = Buffer.concat([held, chunk.subarray(at, at + taken)])
      at += taken
      if ('isSkipped' in want ? want.bytes > 0 : held.length < want.bytes) continue
      const read = held
      held = Buffer.alloc(0)
      want = walk.next(read).value
    }
  }
}

/** Bytes that the walk looks at next, or that it passes over. */
type Want = { readonly bytes: number } | { readonly bytes: number; readonly isSkipped: true }

const skip = (bytes: number): Want => ({ bytes, isSkipped: true })

function* frames(path: string): Generator<Want, undefined, Buffer> {
  for (;;) {
    const magic = (yield { bytes: 4 }).readUInt32LE()
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) {
      const length = (yield { bytes: 4 }).readUInt32LE()
      if (length > 0) yield skip(length)
      continue
    }
    if (magic !== frameMagic) return undefined
    const descriptor = (yield { bytes: 1 })[0]!
    const isOneSegment = (descriptor & 0x20) !== 0
    const sizeBytes = descriptor >> 6 === 0 ? Number(isOneSegment) : headerBytes.size[descriptor >> 6]!
    const before = headerBytes.dictionary[descriptor & 3]! + (isOneSegment ? 0 : 1)
    const header = yield { bytes: before + sizeBytes }
    const window = isOneSegment ? sizeIn(header.subarray(before)) : windowOf(header[0]!)
    if (window > mostWindow)
      throw new UserError(
        `${path} needs ${Math.ceil(window / 2 ** 20)} MiB of memory to be unpacked: pack it without --long.`,
      )
    let isLast = false
    while (!isLast) {
      const block = (yield { bytes: 3 }).readUIntLE(0, 3)
      isLast = (block & 1) === 1
      // Of one byte that is repeated there is one; all other blocks have as many as they say.
      const length = ((block >> 1) & 3) === 1 ? 1 : block >> 3
      if (length > 0) yield skip(length)
    }
    if ((descriptor & 4) !== 0) yield skip(4)
  }
}

/** Content of a frame, in bytes. */
function sizeIn(bytes: Buffer): number {
  if (bytes.length === 8) return Number(bytes.readBigUInt64LE())
  const size = bytes.readUIntLE(0, bytes.length)
  return bytes.length === 2 ? size + 256 : size
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}
