import sharp from 'sharp'
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
 * reference programs do not do that, and models that imitate one ask for no bound.
 *
 * @throws where the bytes are no picture
 */
export async function decodePicture(bytes: Uint8Array, maxSide: number): Promise<Picture> {
  const metadata = await sharp(bytes, { failOn: 'none' }).metadata()
  const { width: fullWidth, height: fullHeight } = metadata
  const picture = await rgbPicture(bytes, metadata, { failOn: 'none' })
  const scale = Math.min(1, maxSide / Math.max(fullWidth, fullHeight))
  const scaled = (side: number) => Math.max(1, Math.round(side * scale))
  const shrunk = scale < 1 ? picture.resize(scaled(fullWidth), scaled(fullHeight), { fit: 'fill' }) : picture
  const { data, info } = await shrunk.raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data, scale }
}
