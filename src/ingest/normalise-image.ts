import { createHash } from 'node:crypto'
import sharp, { type Metadata, type Sharp } from 'sharp'
import type { IngestConfig } from './config.js'
import { Reject } from './reject.js'
import { type ImageFormat, isCutShort, sniffImage } from './sniff-image.js'

export interface NormalImage {
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
  /** Pixels of the stored picture for one of the source's. */
  readonly scale: number
  /** Of the bytes as they came. */
  readonly sha256: string
  /** 64-bit difference hash as 16 hex digits. */
  readonly phash: string
}

/**
 * A picture as the dataset stores it: upright, within `max_side` if it is to be resized, sRGB JPEG. A JPEG that is so
 * already keeps its bytes. Of an animation the first frame is taken; transparency becomes white. Never enlarged.
 *
 * @throws Reject where the bytes are no picture (`not_image`), end too early (`truncated`), cannot be decoded
 *   (`decode_error`) or are outside the limits (`too_small`, `too_many_pixels`)
 */
export async function normaliseImage(
  bytes: Uint8Array,
  place: string,
  config: IngestConfig['image'],
): Promise<NormalImage> {
  const format = sniffImage(bytes)
  if (!format) throw new Reject('not_image', `${place}: ${describeBytes(bytes)}`)
  try {
    return await normalise(bytes, place, config)
  } catch (error) {
    if (error instanceof Reject) throw error
    throw decodeReject(error as Error, bytes, format, place)
  }
}

async function normalise(
  bytes: Uint8Array,
  place: string,
  config: IngestConfig['image'],
): Promise<NormalImage> {
  // The header alone is read here: its pixels are counted below, and its small faults are the decoder's business.
  const metadata = await sharp(bytes, { limitInputPixels: false, failOn: 'none' }).metadata()
  const { width, height } = uprightSize(metadata)
  if (width * height > config.max_pixels) {
    throw new Reject('too_many_pixels', `${place}: ${width} x ${height} pixels, ${config.max_pixels} allowed`)
  }
  if (Math.min(width, height) < config.min_side) {
    const needed = `${config.min_side} needed on each side`
    throw new Reject('too_small', `${place}: ${width} x ${height} pixels, ${needed}`)
  }
  const scale = config.resize === 'no' ? 1 : Math.min(1, config.max_side / Math.max(width, height))
  // The decode runs to the last line in every case: a cut JPEG has a sound header.
  let upright = sharp(bytes, { failOn: 'truncated', limitInputPixels: config.max_pixels }).autoOrient()
  upright = upright.flatten({ background: '#fff' }).toColourspace('srgb')
  if (scale === 1 && isPlainJpeg(metadata)) {
    const phash = await differenceHash(upright)
    return { bytes, width, height, scale, sha256: sha256(bytes), phash }
  }
  const size = [width, height].map((side) => Math.max(1, Math.round(side * scale)))
  if (scale < 1) upright = upright.resize(size[0], size[1], { fit: 'fill' })
  const stored = await upright.jpeg({ quality: config.quality }).toBuffer()
  const phash = await differenceHash(sharp(stored))
  return { bytes: stored, width: size[0], height: size[1], scale, sha256: sha256(bytes), phash }
}

function uprightSize({ width, height, orientation = 1 }: Metadata) {
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}

const isPlainJpeg = ({ format, orientation = 1, space }: Metadata) =>
  format === 'jpeg' && orientation === 1 && space === 'srgb'

function describeBytes(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').replace(/^ï»¿/, '').trimStart()
  return start.startsWith('<') ? 'a web page or drawing, not a picture' : 'not a picture of a known format'
}

function decodeReject({ message }: Error, bytes: Uint8Array, format: ImageFormat, place: string): Reject {
  if (isCutShort(bytes, format)) {
    return new Reject('truncated', `${place}: the ${format} ends too early, after ${bytes.length} bytes`)
  }
  return new Reject('decode_error', `${place}: ${format}: ${message.split('\n')[0]}`)
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Each bit says whether a pixel of the 9 x 8 grey picture is brighter than its right neighbour (Krawetz's dHash). */
async function differenceHash(image: Sharp): Promise<string> {
  const grey = await image.resize(9, 8, { fit: 'fill' }).greyscale().raw().toBuffer()
  const channels = grey.length / 72
  let bits = 0n
  for (let y = 0; y < 8; y++) {
    for (let x = 0; x < 8; x++) {
      const at = (y * 9 + x) * channels
      bits = (bits << 1n) | (grey[at] > grey[at + channels] ? 1n : 0n)
    }
  }
  return bits.toString(16).padStart(16, '0')
}
