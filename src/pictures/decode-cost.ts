import type { Metadata } from 'sharp'

/** What the decoding of a picture may take. */
export interface DecodeCost {
  /** Bytes of memory, with the pixels that come of it. */
  readonly memory: number
  /** Whether it takes so much that it must be possible to end it. */
  readonly isHeavy: boolean
}

/** The most memory that a picture may take, and that all take at once, in bytes. */
export const mostMemory = 2_000_000_000
/** More than this is decoded where it can be ended. */
const lightMemory = 250_000_000
/** Pixels that a decoder goes over in well under a second. */
const lightWork = 400_000_000

/**
 * Bytes for each pixel that libvips' loaders hold beside the pixels that they give, measured on pictures of 36
 * megapixels: WebP, GIF and AVIF decode the whole picture at once, the latter with frames to predict from.
 */
const heldBytes: Readonly<Record<string, number>> = { jpeg: 1, png: 1, webp: 5, gif: 5, tiff: 3, heif: 13 }
const mostHeld = 16

/**
 * An upper bound of what decoding takes, by the format and the pixels that the header claims.
 *
 * @param scans how often the decoder goes over the picture
 * @param size of its bytes
 */
export function decodeCost(metadata: Metadata, scans: number, size: number): DecodeCost {
  const { width, height, channels, depth, format, isProgressive, hasAlpha, space } = metadata
  const pixels = width * height
  const samples = channels * (sampleBytes[depth] ?? 1)
  const isDeep = (sampleBytes[depth] ?? 1) > 1
  // AVIF's codec has samples of two bytes in its frames, too.
  const held = format === 'heif' && isDeep ? mostHeld : (heldBytes[format] ?? mostHeld)
  // Of a progressive JPEG all coefficients are held, two bytes each; of an interlaced PNG all samples.
  const whole = format === 'jpeg' ? (scans > 1 ? 2 * channels : 0) : isProgressive ? samples : 0
  // What `rgbPicture` makes colours of itself is there twice.
  const own = hasAlpha || space === 'cmyk' || space === 'grey16' || format === 'gif' ? 3 : 0
  const memory = pixels * (held + whole + samples + own + 3) + 2 * size
  return { memory, isHeavy: memory > lightMemory || pixels * scans > lightWork }
}

/** Bytes of a sample by libvips' name of its type, where it is not one. */
export const sampleBytes: Readonly<Record<string, number>> = {
  ushort: 2,
  short: 2,
  uint: 4,
  int: 4,
  float: 4,
  complex: 8,
  double: 8,
  dpcomplex: 16,
}
