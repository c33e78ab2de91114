import sharp, { type Metadata, type Sharp, type SharpOptions } from 'sharp'
import { opaqueGif } from './opaque-gif.js'

export interface RgbOptions extends Pick<SharpOptions, 'failOn' | 'limitInputPixels'> {
  /** Turned as its EXIF orientation says. */
  readonly upright?: boolean
  /** Transparency is laid on white; else it is dropped, and the colours stay as they are. */
  readonly onWhite?: boolean
}

/**
 * A picture as sharp goes on with it, in red, green and blue of 8 bits each: the pixels that
 * `PIL.Image.open(...).convert('RGB')` gives, which is how the reference programs read pictures. So colour
 * profiles are not applied, transparency is dropped, inks become colours by 255 - K less the share of each
 * ink, samples of 16 bits lose their lower byte, and grey of 16 bits without transparency is cut off at 255
 * (Pillow, src/libImaging/Convert.c). EXIF orientation is not applied where `upright` does not ask for it.
 *
 * AVIF is decoded by another library than Pillow's, and its colours differ where they are stored at half the
 * size, as do those of a TIFF that holds YCbCr uncompressed; all else is equal to the bit.
 *
 * @param metadata of these bytes
 * @throws where the bytes cannot be decoded
 */
export async function rgbPicture(
  bytes: Uint8Array,
  metadata: Metadata,
  { upright = false, onWhite = false, ...limits }: RgbOptions,
): Promise<Sharp> {
  const options: SharpOptions = { ...limits, ignoreIcc: true, autoOrient: upright }
  if (metadata.space === 'cmyk') return decoded(sharp(bytes, options), 'cmyk', rgbOfInks)
  if (isClipped(bytes, metadata)) return decoded(sharp(bytes, options), 'grey16', rgbOfDeepGrey)
  const picture = sharp(bytes, options).toColourspace('srgb')
  if (onWhite && metadata.hasAlpha) return picture.flatten({ background: '#fff' })
  if (metadata.format === 'gif') return rgbOfGif(bytes, options)
  // Decoded here: a picture that is resized has its colours weighed by their transparency.
  return metadata.hasAlpha ? decoded(picture.removeAlpha(), 'srgb', ({ data }) => data) : picture
}

function rgbOfGif(bytes: Uint8Array, options: SharpOptions): Promise<Sharp> {
  const { bytes: opaque, frame, uncovered } = opaqueGif(bytes)
  return decoded(sharp(opaque, options).removeAlpha(), 'srgb', ({ data, width, height }) => {
    const { left, top, right, bottom } = frame
    if (left === 0 && top === 0 && right >= width && bottom >= height) return data
    for (let y = 0; y < height; y++) {
      const isRow = y >= top && y < bottom
      for (let x = 0; x < width; x++)
        if (!isRow || x < left || x >= right) data.set(uncovered, 3 * (y * width + x))
    }
    return data
  })
}

/** Whether Pillow opens it as grey of 16 bits, which it does not scale down but cuts off. */
const isClipped = (bytes: Uint8Array, { space, format }: Metadata) =>
  space === 'grey16' && !(format === 'png' && bytes[pngColourType] === greyWithAlpha)

/** Where a PNG's header has its colour type. */
const pngColourType = 25
const greyWithAlpha = 4

interface Samples {
  /** Of one byte each, or of two in this machine's order. */
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: number
}

async function decoded(
  picture: Sharp,
  space: 'srgb' | 'cmyk' | 'grey16',
  toRgb: (samples: Samples) => Uint8Array,
): Promise<Sharp> {
  const own = space === 'srgb' ? picture : picture.pipelineColourspace(space)
  const { data, info } = await own
    .toColourspace(space)
    .raw({ depth: space === 'grey16' ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const rgb = toRgb({ data, width, height, channels })
  return sharp(rgb, { raw: { width, height, channels: 3 }, limitInputPixels: false })
}

function rgbOfInks({ data, width, height, channels }: Samples): Uint8Array {
  const pixels = width * height
  const rgb = new Uint8Array(3 * pixels)
  for (let at = 0; at < pixels; at++) {
    const light = 255 - data[at * channels + 3]!
    for (let ink = 0; ink < 3; ink++) {
      // Pillow's MULDIV255: the product divided by 255, rounded.
      const product = data[at * channels + ink]! * light + 128
      rgb[3 * at + ink] = light - (((product >> 8) + product) >> 8)
    }
  }
  return rgb
}

function rgbOfDeepGrey({ data, width, height, channels }: Samples): Uint8Array {
  const pixels = width * height
  const samples = new Uint16Array(data.buffer, data.byteOffset, pixels * channels)
  const rgb = new Uint8Array(3 * pixels)
  for (let at = 0; at < pixels; at++) rgb.fill(Math.min(255, samples[at * channels]!), 3 * at, 3 * at + 3)
  return rgb
}
