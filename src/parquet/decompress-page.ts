import { brotliDecompressSync, unzipSync } from 'node:zlib'
import type { CompressionCodec } from 'hyparquet'
import { ZSTDDecoder } from 'zstddec'
import type { TakeMemory } from './memory-budget.js'

/** Bytes of a page and the size that its header says to what they make, which may be of another size. */
type Decompress = (bytes: Uint8Array, size: number) => Uint8Array

/** A block as the decoder can take it: with what it makes it has to fit in the memory of WebAssembly. */
const largestZstd = 2 ** 30

const zstd = new ZSTDDecoder()
/** Loaded for the codecs that it has alone. */
let others: typeof import('hyparquet-compressors')

/**
 * Has decoders ready that must be loaded.
 *
 * @param codecs those that are about to be read
 */
export async function prepareCodecs(codecs: ReadonlySet<CompressionCodec>): Promise<void> {
  if (codecs.has('ZSTD')) await zstd.init()
  if (codecs.has('SNAPPY') || codecs.has('LZ4') || codecs.has('LZ4_RAW'))
    others ??= await import('hyparquet-compressors')
}

/**
 * Decoders that end with any bytes whatever, in time and memory that the bytes and the size bound. Those in
 * JavaScript of Brotli and gzip are not among them: a wrong byte may keep them going for ever.
 */
const decoders: Readonly<Partial<Record<CompressionCodec, Decompress>>> = {
  // The decoder writes as much as the stream itself says, wherever that is.
  SNAPPY: (bytes, size) =>
    snappySize(bytes) === size ? others.decompressSnappy(bytes, size) : new Uint8Array(0),
  GZIP: (bytes, size) => unzipSync(bytes, { maxOutputLength: size }),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: size }),
  ZSTD(bytes, size) {
    if (bytes.length + size > largestZstd) throw new Error(`a page of ${size} bytes is too large`)
    return zstd.decode(bytes, size)
  },
  LZ4: readHadoopLz4,
  LZ4_RAW: (bytes, size) => others.decompressLz4Raw(bytes, size),
}

/**
 * The bytes of a page, of whichever codec; its codec has been told to `prepareCodecs`. No more memory is taken
 * than the page's header says.
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
  const decompress = decoders[codec]
  if (!decompress) throw new Error(`codec ${codec} is not read`)
  let page: Uint8Array
  try {
    page = decompress(bytes, size)
  } catch (error) {
    throw new Error(`a page is not compressed as it says: ${(error as Error).message}`)
  }
  if (page.length !== size) throw new Error(`a page that is not of the ${size} bytes that it says`)
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
 * LZ4 as Hadoop frames it: blocks, each behind two numbers of four bytes, the highest first, of what it makes
 * and of what it takes. Some writers left the numbers out; what is not framed is taken for one block.
 */
function readHadoopLz4(bytes: Uint8Array, size: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks: { readonly start: number; readonly end: number; readonly makes: number }[] = []
  let [at, made] = [0, 0]
  while (at + 8 < bytes.length) {
    const [makes, takes] = [view.getUint32(at), view.getUint32(at + 4)]
    if (takes === 0 || at + 8 + takes > bytes.length || made + makes > size) break
    blocks.push({ start: at + 8, end: at + 8 + takes, makes })
    at += 8 + takes
    made += makes
  }
  if (at !== bytes.length || made !== size) return others.decompressLz4Raw(bytes, size)
  const out = new Uint8Array(size)
  let filled = 0
  for (const { start, end, makes } of blocks) {
    out.set(others.decompressLz4Raw(bytes.subarray(start, end), makes), filled)
    filled += makes
  }
  return out
}
