import { tiffEnd } from './tiff-end.js'

/** Picture formats that sharp's own build decodes. */
export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'avif'

/**
 * Picture formats that sharp's own build does not decode. HEIC shares AVIF's container, but its codec is not
 * free.
 */
export type UnreadFormat = 'heic' | 'jxl' | 'bmp' | 'ico'

/**
 * The format that the first bytes of a file tell, whatever its name and headers say; undefined for all else:
 * web pages, text, and drawings (SVG), which have no pixels of their own and may name other files.
 */
export function sniffImage(bytes: Uint8Array): ImageFormat | UnreadFormat | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1')
  // No picture is shorter, and `isCutShort` reads that many bytes.
  if (bytes.length < 12) return undefined
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (/^GIF8[79]a/.test(start)) return 'gif'
  if (/^RIFF.{4}WEBP/s.test(start)) return 'webp'
  if (start.startsWith('II*\0') || start.startsWith('MM\0*')) return 'tiff'
  if (start.startsWith('ftyp', 4)) return sniffBrands(bytes)
  if (start.startsWith('\xff\x0a') || start.startsWith('\0\0\0\x0cJXL ')) return 'jxl'
  if (/^BM.{4}\0\0\0\0/s.test(start)) return 'bmp'
  if (start.startsWith('\0\0\x01\0')) return 'ico'
  return undefined
}

const unreadFormats: ReadonlySet<string> = new Set<UnreadFormat>(['heic', 'jxl', 'bmp', 'ico'])

export const isUnread = (format: ImageFormat | UnreadFormat): format is UnreadFormat =>
  unreadFormats.has(format)

/** The codec that the brands of an ISO media file name, the compatible ones among them. */
function sniffBrands(bytes: Uint8Array): 'avif' | 'heic' | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const box = buffer.toString('latin1', 8, Math.min(buffer.readUInt32BE(0), 256))
  if (/avi[fs]/.test(box)) return 'avif'
  if (/hei[cxms]|hev[cx]|mif1|msf1/.test(box)) return 'heic'
  return undefined
}

/**
 * Whether a picture that could not be decoded is one that ends too early, by its own lengths and end marks.
 * The decoder's message does not tell: libvips keeps one for all threads.
 */
export function isCutShort(bytes: Uint8Array, format: ImageFormat): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  // Some bytes after the end do no harm.
  const tail = buffer.subarray(-1024)
  switch (format) {
    case 'jpeg':
      return !tail.includes('\xff\xd9', 0, 'latin1')
    case 'png':
      return !tail.includes('IEND')
    case 'gif':
      return buffer.at(-1) !== 0x3b
    case 'webp':
      return buffer.readUInt32LE(4) + 8 > buffer.length
    case 'tiff':
      return (
        (buffer[0] === 0x49 ? buffer.readUInt32LE(4) : buffer.readUInt32BE(4)) >= buffer.length ||
        tiffEnd(bytes) > bytes.length
      )
    case 'avif':
      return boxesEnd(buffer) !== buffer.length
  }
}

/**
 * Where the boxes of an ISO media file end by their own sizes; a box of size 0 goes to the end of the file.
 */
function boxesEnd(buffer: Buffer): number {
  let at = 0
  while (at + 8 <= buffer.length) {
    const size = buffer.readUInt32BE(at)
    if (size < 8) return buffer.length
    at += size
  }
  return at
}
