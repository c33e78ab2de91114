import type { Picture } from './picture.js'

/** A part of a picture, which lies within it: whole pixels from its left and upper edge. */
export function cutPicture(
  picture: Picture,
  part: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
): Picture {
  const { left, top, width, height } = part
  const data = new Uint8Array(3 * width * height)
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * picture.width + left)
    data.set(picture.data.subarray(from, from + 3 * width), 3 * y * width)
  }
  return { width, height, data, scale: picture.scale }
}
