import sharp from 'sharp'

/** Pixels of a picture, red green blue, row by row. */
export interface Picture {
  readonly width: number
  readonly height: number
  /** [height * width * 3], 0 to 255. */
  readonly data: Uint8Array
  /** Pixels of this picture for one of the stored picture's. */
  readonly scale: number
}

/** Decodes a stored picture, scaled down to at most `maxSide` pixels on its longer side. */
export async function decodePicture(bytes: Uint8Array, maxSide: number): Promise<Picture> {
  const image = sharp(bytes, { failOn: 'none' })
  const { width: fullWidth = 1, height: fullHeight = 1 } = await image.metadata()
  const scale = Math.min(1, maxSide / Math.max(fullWidth, fullHeight))
  const scaled = (side: number) => Math.max(1, Math.round(side * scale))
  const shrunk = scale < 1 ? image.resize(scaled(fullWidth), scaled(fullHeight), { fit: 'fill' }) : image
  const { data, info } = await shrunk
    .flatten()
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data, scale }
}
