import { createHash } from 'node:crypto'
import sharp, { type Metadata, type Sharp } from 'sharp'
import type { IngestConfig } from './config.js'
import { Reject } from './reject.js'

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
 * A picture as the dataset stores it: upright, at most `max_side` pixels long, sRGB JPEG. A JPEG that is so already
 * keeps its bytes. Of an animation the first frame is taken; transparency becomes white.
 *
 * @throws Reject where the bytes are no picture, cut short, or outside the limits
 */
export async function normaliseImage(
  bytes: Uint8Array,
  place: string,
  config: IngestConfig['image'],
): Promise<NormalImage> {
  const metadata = await readMetadata(bytes, place)
  const turned = (metadata.orientation ?? 1) >= 5
  const [width, height] = turned ? [metadata.height, metadata.width] : [metadata.width, metadata.height]
  if (width * height > config.max_pixels) {
    throw new Reject('too_many_pixels', `${place}: ${width} x ${height} pixels, ${config.max_pixels} allowed`)
  }
  if (Math.min(width, height) < config.min_side) {
    throw new Reject(
      'too_small',
      `${place}: ${width} x ${height} pixels, ${config.min_side} needed on each side`,
    )
  }
  const scale = Math.min(1, config.max_side / Math.max(width, height))
  const asItIs =
    metadata.format === 'jpeg' &&
    (metadata.orientation ?? 1) === 1 &&
    scale === 1 &&
    metadata.space === 'srgb'
  // The decode runs to the last line in every case: a cut JPEG has a sound header.
  let upright = sharp(bytes, { failOn: 'truncated', limitInputPixels: config.max_pixels }).autoOrient()
  upright = upright.flatten({ background: '#fff' }).toColourspace('srgb')
  try {
    if (asItIs) {
      return {
        bytes,
        width,
        height,
        scale: 1,
        sha256: sha256(bytes),
        phash: await differenceHash(upright),
      }
    }
    const size = [width, height].map((side) => Math.max(1, Math.round(side * scale)))
    if (scale < 1) upright = upright.resize(size[0], size[1], { fit: 'fill' })
    const stored = await upright.clone().jpeg({ quality: config.quality }).toBuffer()
    const phash = await differenceHash(sharp(stored))
    return { bytes: stored, width: size[0], height: size[1], scale, sha256: sha256(bytes), phash }
  } catch (error) {
    throw new Reject('decode_error', `${place}: ${(error as Error).message}`)
  }
}

async function readMetadata(bytes: Uint8Array, place: string): Promise<Metadata> {
  return sharp(bytes)
    .metadata()
    .catch((error: unknown) => {
      const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').trimStart()
      if (start.startsWith('<')) throw new Reject('not_image', `${place}: the answer is a web page`)
      throw new Reject('not_image', `${place}: ${(error as Error).message}`)
    })
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Each bit says whether a pixel of the 9 x 8 grey picture is brighter than its right neighbour (Krawetz's dHash). */
async function differenceHash(image: Sharp): Promise<string> {
  const grey = await image.clone().resize(9, 8, { fit: 'fill' }).greyscale().raw().toBuffer()
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
