import type { CompressionCodec } from 'hyparquet'
import { compressors, decompressZstd } from 'hyparquet-compressors'
import type { TakeMemory } from './memory-budget.js'

/**
 * The bytes of a page, of whichever codec. No more memory is taken than the page's header says.
 *
 * @param size as the header has it
 * @throws Error where the page is damaged, or of a codec that is not known
 */
export function decompressPage(
  bytes: Uint8Array,
  size: number,
  codec: CompressionCodec,
  take: TakeMemory,
): Uint8Array {
  if (codec === 'UNCOMPRESSED') {
    if (bytes.length !== size) throw new Error(`a page of ${bytes.length} bytes instead of ${size}`)
    return bytes
  }
  // Codecs write an empty page as a byte or more, of which their decoders here make nothing.
  if (size === 0) return new Uint8Array(0)
  take(size)
  if (codec === 'ZSTD') return readZstd(bytes, size)
  const decompress = compressors[codec]
  if (!decompress) throw new Error(`codec ${codec} is not read`)
  // The decoder writes as much as the stream itself says, wherever that is.
  if (codec === 'SNAPPY' && snappySize(bytes) !== size) throw new Error('a page of another size than it says')
  const page = decompress(bytes, size)
  if (page.length !== size) throw new Error(`a page of ${page.length} bytes instead of ${size}`)
  return page
}

/** How many bytes a Snappy stream makes, which it begins with: seven bits a byte, the lowest first. */
function snappySize(bytes: Uint8Array): number {
  let size = 0
  for (let at = 0; at < 5; at++) {
    const byte = bytes[at] ?? 0
    size += (byte & 127) * 2 ** (7 * at)
    if (byte < 128) return size
  }
  return -1
}

/**
 * Frames of Zstandard (RFC 8878) one behind another. Left to itself, the decoder takes as much memory as a
 * frame asks for; given where to write, it cannot go beyond that.
 */
function readZstd(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size)
  let [at, done] = [0, 0]
  while (at < bytes.length) {
    const { end, content } = zstdFrame(bytes, at)
    if (content !== 0) {
      // The last frame need not say how much it makes.
      const length = content ?? (end === bytes.length ? size - done : Number.NaN)
      if (!(length <= size - done)) throw new Error('a page of more bytes than it says')
      decompressZstd(bytes.subarray(at, end), comparable(out.subarray(done, done + length)))
      done += length
    }
    at = end
  }
  if (done !== size) throw new Error(`a page of ${done} bytes instead of ${size}`)
  return out
}

/**
 * The decoder compares what it is given with 1, for which JavaScript would write all of its bytes as text.
 */
const comparable = (bytes: Uint8Array): Uint8Array =>
  Object.defineProperty(bytes, Symbol.toPrimitive, { value: () => 0 })

/** Where a frame ends and how many bytes it makes, if it says so. */
function zstdFrame(bytes: Uint8Array, start: number): { readonly end: number; readonly content?: number } {
  const whole = (at: number, length: number) => {
    let value = 0
    for (let byte = length - 1; byte >= 0; byte--) value = value * 256 + (bytes[at + byte] ?? Number.NaN)
    if (Number.isNaN(value)) throw new Error('a page is cut short')
    return value
  }
  const magic = whole(start, 4)
  // Frames that are to be skipped.
  if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) return { end: start + 8 + whole(start + 4, 4), content: 0 }
  if (magic !== 0xfd2fb528) throw new Error('a page is not compressed as it says')
  const flags = whole(start + 4, 1)
  const isSingle = ((flags >> 5) & 1) === 1
  const idBytes = [0, 1, 2, 4][flags & 3] ?? 0
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0
  const sizeAt = start + (isSingle ? 5 : 6) + idBytes
  const content = whole(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  let at = sizeAt + sizeBytes
  for (let isLast = false; !isLast; ) {
    const head = whole(at, 3)
    isLast = (head & 1) === 1
    // A block of one byte that repeats has only that.
    at += 3 + (((head >> 1) & 3) === 1 ? 1 : head >> 3)
  }
  const end = at + ((flags >> 2) & 1) * 4
  if (end > bytes.length) throw new Error('a page is cut short')
  return sizeBytes > 0 ? { end, content } : { end }
}
