import { crc32 } from 'node:zlib'
import type { Bare } from './bare.js'
import { orientationExif } from './orientation-exif.js'

const signatureBytes = 8
/** Length, type and checksum of a chunk. */
const frameBytes = 12

/**
 * A PNG with the chunks that its pixels are in: header, palette, transparency, data. Profiles and texts, which
 * may be packed a thousandfold, do not reach the decoder.
 */
export function barePng(bytes: Buffer): Bare {
  const kept: Uint8Array[] = [bytes.subarray(0, signatureBytes)]
  let from = signatureBytes
  let at = signatureBytes
  // One that is cut short is the decoder's business from there on.
  while (at + frameBytes <= bytes.length) {
    const end = at + frameBytes + bytes.readUInt32BE(at)
    if (end > bytes.length) break
    const type = bytes.toString('latin1', at + 4, at + 8)
    if (!isKept(type)) {
      if (at > from) kept.push(bytes.subarray(from, at))
      const exif = type === 'eXIf' ? orientationExif(bytes.subarray(at + 8, end - 4)) : undefined
      if (exif) kept.push(chunk('eXIf', exif.subarray(exifMarkBytes)))
      from = end
    }
    at = end
  }
  if (from === signatureBytes) return { bytes, scans: 1, isOdd: false }
  return { bytes: Buffer.concat([...kept, bytes.subarray(from)]), scans: 1, isOdd: false }
}

/** What no decoder may leave out has a capital letter at its beginning. */
const isKept = (type: string) => /^[A-Z]/.test(type) || type === 'tRNS'

/** The mark `Exif`, which stands before EXIF in JPEG and not in PNG. */
const exifMarkBytes = 6

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameBytes + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}
