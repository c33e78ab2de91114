import type { Xyxy } from '../../boxes/xyxy.js'
import { scaleBox } from '../../boxes/xyxy.js'
import type { Picture } from '../../pictures/picture.js'
import { resizePicture } from '../../pictures/resize-picture.js'

/** A picture that was changed, and the way of its boxes back. */
export interface ChangedPicture {
  readonly picture: Picture
  /** From its pixels to those of the picture that was changed. */
  back(box: Xyxy): Xyxy
}

/** What is beside a shrunk picture: the mean colour of ImageNet, which most networks subtract. */
const meanColour = [124, 116, 104] as const
const bilinear = 2

/** The picture as a mirror shows it: left is right. */
export function mirrored(picture: Picture): ChangedPicture {
  const { width, height, data } = picture
  const turned = new Uint8Array(data.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 3 * (y * width + x)
      const to = 3 * (y * width + width - 1 - x)
      turned[to] = data[from] as number
      turned[to + 1] = data[from + 1] as number
      turned[to + 2] = data[from + 2] as number
    }
  return {
    picture: { ...picture, data: turned },
    back: ([x1, y1, x2, y2]) => [width - x2, y1, width - x1, y2],
  }
}

/**
 * The picture smaller, on a canvas of its size: a network that brings every picture to one size sees things smaller
 * all the same.
 *
 * @param share of its sides, under 1
 */
export function shrunk(picture: Picture, share: number): ChangedPicture {
  const { width, height } = picture
  const small = resizePicture(
    picture,
    Math.max(1, Math.round(width * share)),
    Math.max(1, Math.round(height * share)),
    bilinear,
  )
  const data = new Uint8Array(picture.data.length)
  for (let at = 0; at < data.length; at += 3) data.set(meanColour, at)
  const row = 3 * small.width
  for (let y = 0; y < small.height; y++) data.set(small.data.subarray(y * row, (y + 1) * row), 3 * y * width)
  return {
    picture: { ...picture, data },
    back: (box) => scaleBox(box, width / small.width, height / small.height),
  }
}
