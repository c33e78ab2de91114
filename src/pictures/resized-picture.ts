import type { Metadata, ResizeOptions } from 'sharp'
import { decodeSafely } from './decode-safely.js'
import type { DecodeWork } from './decode-work.js'
import { PictureError } from './picture-error.js'
import { rgbPicture } from './rgb-picture.js'

export interface ResizedOptions {
  readonly width: number
  readonly height: number
  /** How the picture is fitted into that size. */
  readonly fit: Pick<ResizeOptions, 'fit' | 'withoutEnlargement'>
  /** PNG is not packed: it is for a program, WebP for a browser. */
  readonly format: 'png' | 'webp'
  /** A picture that claims more pixels is not decoded. */
  readonly maxPixels?: number
}

/**
 * A stored picture in another size, encoded anew, in the colours of `rgbPicture`.
 *
 * @throws as `decodeSafely`, and PictureError `too_many_pixels`
 */
export const resizedPicture = (bytes: Uint8Array, options: ResizedOptions): Promise<Uint8Array> =>
  decodeSafely(resizedWork, bytes, options)

export const resizedWork: DecodeWork<ResizedOptions, Uint8Array> = {
  module: import.meta.url,
  name: 'resizedWork',
  check({ width, height }, { maxPixels = Number.POSITIVE_INFINITY }) {
    if (width * height > maxPixels)
      throw new PictureError('too_many_pixels', `${width} x ${height} pixels, ${maxPixels} allowed`)
  },
  run: resized,
}

async function resized(
  bytes: Uint8Array,
  metadata: Metadata,
  { width, height, fit, format }: ResizedOptions,
): Promise<Uint8Array> {
  const picture = (await rgbPicture(bytes, metadata, { failOn: 'none' })).resize(width, height, fit)
  const encoded =
    format === 'png' ? picture.png({ compressionLevel: 0 }) : picture.webp({ quality: 80, effort: 1 })
  return encoded.toBuffer()
}
