import type { Bare } from './bare.js'
import { bareJpeg } from './bare-jpeg.js'
import { barePng } from './bare-png.js'
import { bareWebp } from './bare-webp.js'
import type { ImageFormat } from './sniff-image.js'

/**
 * Takes off what a decoder needs not see, in time that is linear in the bytes. What is left decodes to the
 * same pixels. AVIF and TIFF stay as they are, and are odd: each holds pictures of other codecs, whose sizes
 * need not be those of the header.
 */
export function barePicture(bytes: Uint8Array, format: ImageFormat): Bare {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (format) {
    case 'jpeg':
      return bareJpeg(buffer)
    case 'png':
      return barePng(buffer)
    case 'webp':
      return bareWebp(buffer)
    case 'gif':
      return { bytes, scans: 1, isOdd: false }
    case 'avif':
    case 'tiff':
      return { bytes, scans: 1, isOdd: true }
  }
}
