/** Picture formats that sharp's own build decodes. */
export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'avif'

/**
 * The format that the first bytes of a file tell, whatever its name and headers say; undefined for all else: web pages,
 * text, and drawings (SVG), which have no pixels of their own and may name other files.
 */
export function sniffImage(bytes: Uint8Array): ImageFormat | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.length)).toString('latin1')
  // No picture is that short, and the checks of its end read so much.
  if (bytes.length < 12) return undefined
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg'
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (/^GIF8[79]a/.test(start)) return 'gif'
  if (/^RIFF.{4}WEBP/s.test(start)) return 'webp'
  if (start.startsWith('II*\0') || start.startsWith('MM\0*')) return 'tiff'
  // HEIC has the same box but a codec that sharp's build lacks; its decoder says so.
  if (/^.{4}ftyp(avif|avis|mif1|msf1|heic|heix)/s.test(start)) return 'avif'
  return undefined
}

/**
 * Whether a picture that could not be decoded is one that ends too early, by its own lengths and end marks. The decoder's
 * message does not tell: libvips keeps one for all threads.
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
      return (buffer[0] === 0x49 ? buffer.readUInt32LE(4) : buffer.readUInt32BE(4)) >= buffer.length
    case 'avif':
      return boxesEnd(buffer) !== buffer.length
  }
}

/** Where the boxes of an ISO media file end by their own sizes; a box of size 0 goes to the end of the file. */
function boxesEnd(buffer: Buffer): number {
  let at = 0
  while (at + 8 <= buffer.length) {
    const size = buffer.readUInt32BE(at)
    if (size < 8) return buffer.length
    at += size
  }
  return at
}
