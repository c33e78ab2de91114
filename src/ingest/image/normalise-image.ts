import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import pLimit from 'p-limit'
import sharp, { type Metadata, type Sharp } from 'sharp'
import { sampleBytes } from '../../pictures/decode-cost.js'
import { decodeSafely } from '../../pictures/decode-safely.js'
import type { DecodeWork } from '../../pictures/decode-work.js'
import { PictureError } from '../../pictures/picture-error.js'
import { rgbPicture } from '../../pictures/rgb-picture.js'
import { type ImageFormat, isCutShort, isUnread, sniffImage } from '../../pictures/sniff-image.js'
import { Reject } from '../fetch/reject.js'
import { differenceHash, type Pixels } from './difference-hash.js'
import { fingerprint } from './fingerprint.js'
import { type Fit, fitImage } from './fit-image.js'
import type { ImageConfig } from './image-config.js'

export interface NormalImage {
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
  /** Size of the picture as it came, upright. */
  readonly source: { readonly width: number; readonly height: number }
  /** EXIF's orientation of the picture as it came: 1 where it lies upright in its file. */
  readonly orientation: number
  /** Pixels of the stored picture for one of the source's. */
  readonly scale: number
  /**
   * Where the source's corner lies in the stored picture: not at 0 behind a border or where it was cropped.
   */
  readonly offset: readonly [number, number]
  /** Of the bytes as they came. */
  readonly sha256: string
  /** 64-bit difference hash as 16 hex digits. */
  readonly phash: string
  /** What edited copies are known by, in Base64. */
  readonly fingerprint: string
}

/** libuv has so many threads, and each picture takes one. */
const uvThreads = Number(process.env.UV_THREADPOOL_SIZE) || 4
const cores = availableParallelism()
// Many pictures at once on a thread each waste less than one picture on many; what cores are left over help
// within one.
sharp.concurrency(Math.max(1, Math.floor(cores / uvThreads)))
// No picture comes twice.
sharp.cache(false)
/** More at once would only hold more pixels in memory. */
const decoding = pLimit(Math.min(cores + 1, uvThreads))

/**
 * A picture as the dataset stores it: upright, in the size that the configuration asks for, red, green and
 * blue of 8 bits. One that is in the format to be stored and all of this already keeps its bytes, with what
 * metadata and colour profile they have. What is encoded anew has neither, and is made of the pixels that
 * reference programs see in the picture as it came (`rgbPicture`): of an animation the first frame, colours
 * without their profile and without transparency, which is dropped, or laid on white where the configuration
 * asks for it.
 *
 * @throws Reject where the bytes are no picture (`not_image`), of a format without a decoder
 * (`unsupported_format`), end too early (`truncated`), cannot be decoded (`decode_error`) or are outside the
 * limits (`too_small`, `too_large_area`, `extreme_aspect`, `too_many_pixels`, `too_many_pages`,
 * `too_many_scans`, `too_much_memory`, `decode_timeout`)
 */
export async function normaliseImage(
  bytes: Uint8Array,
  place: string,
  config: ImageConfig,
): Promise<NormalImage> {
  const format = sniffImage(bytes)
  if (!format) throw new Reject('not_image', `${place}: ${describeBytes(bytes)}`)
  if (isUnread(format)) throw new Reject('unsupported_format', `${place}: ${format} is not decoded`)
  if (format === 'tiff' && isCutShort(bytes, format)) throw truncated(bytes, format, place)
  try {
    const { bytes: stored, ...made } = await decoding(() => decodeSafely(normaliseWork, bytes, config))
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { ...made, bytes: stored ?? bytes, sha256 }
  } catch (error) {
    if (error instanceof PictureError) throw new Reject(error.reason, `${place}: ${error.message}`)
    throw decodeReject(error as Error, bytes, format, place)
  }
}

const truncated = ({ length }: Uint8Array, format: ImageFormat, place: string) =>
  new Reject('truncated', `${place}: the ${format} ends too early, after ${length} bytes`)

/** A picture as it is to be stored; without bytes where it keeps those that it has. */
type Normalised = Omit<NormalImage, 'bytes' | 'sha256'> & { readonly bytes?: Uint8Array }

export const normaliseWork: DecodeWork<ImageConfig, Normalised> = {
  module: import.meta.url,
  name: 'normaliseWork',
  check(metadata, config) {
    const source = uprightSize(metadata)
    checkLimits(source, metadata, config)
    checkPixels(fitImage(source.width, source.height, config), config)
  },
  run: normalise,
}

async function normalise(bytes: Uint8Array, metadata: Metadata, config: ImageConfig): Promise<Normalised> {
  const source = uprightSize(metadata)
  const fit = fitImage(source.width, source.height, config)
  const { canvas, left, top } = fit
  const isWhole = canvas.width === source.width && canvas.height === source.height
  const common = {
    ...canvas,
    source,
    orientation: metadata.orientation ?? 1,
    scale: fit.width / source.width,
    offset: [left, top] as const,
  }
  // The decode runs to the last line in every case: a cut JPEG has a sound header.
  const upright = await rgbPicture(bytes, metadata, {
    failOn: 'truncated',
    limitInputPixels: config.max_pixels,
    upright: true,
    onWhite: config.transparency === 'white',
  })
  if (isWhole && mayKeepBytes(metadata, config)) {
    const small = upright.resize(hashed.width, hashed.height, { fit: 'fill' })
    return { ...common, ...hashesOf(await pixelsOf(small)) }
  }
  // Decoded once: the hashes are taken of the same pixels that are encoded.
  const pixels = await pixelsOf(placed(upright, fit, isWhole))
  const { data, ...raw } = pixels
  const stored = await encode(sharp(data, { raw }), config).toBuffer()
  return { ...common, bytes: stored, ...hashesOf(pixels) }
}

const hashesOf = (pixels: Pixels) => ({ phash: differenceHash(pixels), fingerprint: fingerprint(pixels) })

/** A size from which the hashes can be taken, small enough for JPEG to be decoded in a fraction of its own. */
const hashed = { width: 72, height: 64 }

async function pixelsOf(picture: Sharp) {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return { data, width, height, channels }
}

function placed(picture: Sharp, { width, height, canvas, left, top }: Fit, isWhole: boolean): Sharp {
  if (isWhole) return picture
  const scaled = picture.resize(width, height, { fit: 'fill' })
  if (left < 0 || top < 0) return scaled.extract({ left: -left, top: -top, ...canvas })
  const right = canvas.width - width - left
  const bottom = canvas.height - height - top
  if (left + top + right + bottom === 0) return scaled
  return scaled.extend({ left, top, right, bottom, background: '#fff' })
}

function encode(picture: Sharp, { encode_format, quality }: ImageConfig): Sharp {
  switch (encode_format) {
    case 'jpg':
      return picture.jpeg({ quality })
    case 'png':
      return picture.png()
    case 'webp':
      return picture.webp({ quality })
  }
}

function uprightSize({ width, height, orientation = 1 }: Metadata) {
  return orientation >= 5 ? { width: height, height: width } : { width, height }
}

interface Size {
  readonly width: number
  readonly height: number
}

function checkPixels({ width, height }: Size, { max_pixels }: ImageConfig) {
  if (width * height > max_pixels)
    throw new PictureError('too_many_pixels', `${width} x ${height} pixels, ${max_pixels} allowed`)
}

function checkLimits(size: Size, { pages = 1, channels, depth }: Metadata, config: ImageConfig) {
  const { width, height } = size
  const reject = (reason: string, allowed: string) => {
    throw new PictureError(reason, `${width} x ${height} pixels, ${allowed}`)
  }
  checkPixels(size, config)
  if (pages > config.max_pages) reject('too_many_pages', `${pages} pages, ${config.max_pages} allowed`)
  const memory = width * height * channels * (sampleBytes[depth] ?? 1)
  if (memory > config.max_decoded_bytes)
    reject('too_much_memory', `${memory} bytes when decoded, ${config.max_decoded_bytes} allowed`)
  if (Math.min(width, height) < config.min_image_size)
    reject('too_small', `${config.min_image_size} needed on each side`)
  if (config.max_image_area !== undefined && width * height > config.max_image_area)
    reject('too_large_area', `${config.max_image_area} allowed`)
  const aspect = Math.max(width, height) / Math.min(width, height)
  if (config.max_aspect_ratio !== undefined && aspect > config.max_aspect_ratio)
    reject('extreme_aspect', `sides of 1 : ${config.max_aspect_ratio} allowed`)
}

const storedFormats = { jpg: 'jpeg', png: 'png', webp: 'webp' } as const

/** Whether a picture that keeps its size need not be encoded anew. */
function mayKeepBytes(metadata: Metadata, { encode_format, skip_reencode }: ImageConfig): boolean {
  const { format, orientation = 1, space, hasAlpha, pages = 1, depth } = metadata
  // Boxes and sizes are of the upright picture, which readers that know no EXIF would not see.
  if (orientation !== 1) return false
  if (skip_reencode) return true
  const isPlain = space === 'srgb' && depth === 'uchar' && !hasAlpha && pages === 1
  return format === storedFormats[encode_format] && isPlain
}

function describeBytes(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1').replace(/^ï»¿/, '').trimStart()
  return start.startsWith('<') ? 'a web page or drawing, not a picture' : 'not a picture of a known format'
}

function decodeReject({ message }: Error, bytes: Uint8Array, format: ImageFormat, place: string): Reject {
  if (isCutShort(bytes, format)) return truncated(bytes, format, place)
  return new Reject('decode_error', `${place}: ${format}: ${message.split('\n')[0]}`)
}
