import type { Metadata } from 'sharp'
import { decodeSafely } from './decode-safely.js'
import type { DecodeWork } from './decode-work.js'
import { rgbPicture } from './rgb-picture.js'

/** Pixels of a picture, red green blue, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** [height * width * 3], 0 to 255. */
  readonly data: Uint8Array
  /** Pixels of this picture for one of the stored picture's. */
  readonly scale: number
}

/**
 * Decodes a stored picture: the pixels of `PIL.Image.open(...).convert('RGB')` (`rgbPicture`), EXIF
 * orientation not applied. A picture whose longer side is above `maxSide` pixels is then scaled down to it;
 * reference programs do not do that, and models that imitate one ask for no bound. What would take the
 * machine (`decodeSafely`) is not decoded.
 *
 * @param place what the picture is called where it cannot be decoded, such as its key
 * @throws where the bytes are no picture, or one outside the limits
 */
export async function decodePicture(bytes: Uint8Array, maxSide: number, place?: string): Promise<Picture> {
  try {
    return await decodeSafely(pictureWork, bytes, { maxSide })
  } catch (error) {
    if (place === undefined) throw error
    throw new Error(`the picture ${place} cannot be decoded: ${(error as Error).message}`, { cause: error })
  }
}

interface PictureOptions {
  readonly maxSide: number
}

export const pictureWork: DecodeWork<PictureOptions, Picture> = {
  module: import.meta.url,
  name: 'pictureWork',
  run: pixelsOf,
}

async function pixelsOf(
  bytes: Uint8Array,
  metadata: Metadata,
  { maxSide }: PictureOptions,
): Promise<Picture> {
  const { width: fullWidth, height: fullHeight } = metadata
  const picture = await rgbPicture(bytes, metadata, { failOn: 'none' })
  const scale = Math.min(1, maxSide / Math.max(fullWidth, fullHeight))
  const scaled = (side: number) => Math.max(1, Math.round(side * scale))
  const shrunk = scale < 1 ? picture.resize(scaled(fullWidth), scaled(fullHeight), { fit: 'fill' }) : picture
  const { data, info } = await shrunk.raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data, scale }
}
