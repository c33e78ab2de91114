import { roundHalfEven } from '../../base/round-half-even.js'
import { scaleBox, type Xyxy } from '../../boxes/xyxy.js'
import type { Picture } from '../../pictures/picture.js'
import { resizeLinear } from '../../pictures/resize-linear.js'
import type { Size } from './hf-image-processor.js'

/** Where a picture lies in a grey frame. */
export interface Letterbox extends Size {
  /** What the picture covers. */
  readonly covered: Size
  readonly left: number
  readonly top: number
}

/** The grey of the frame, of 255. */
const grey = 114

/**
 * Where a picture lies in a frame of a size: as large as fits, in the middle (of an odd rest one pixel more at the lower
 * right). This is how the YOLO family is shown pictures.
 *
 * @param stride where given, the frame is only as large as the picture takes, both sides up to a multiple of this
 */
export function letterbox({ width, height }: Size, frame: Size, stride?: number): Letterbox {
  const scale = Math.min(frame.width / width, frame.height / height)
  const covered = {
    width: Math.max(1, roundHalfEven(width * scale)),
    height: Math.max(1, roundHalfEven(height * scale)),
  }
  const rest = (side: number, part: number) => (stride ? (side - part) % stride : side - part)
  const across = rest(frame.width, covered.width)
  const down = rest(frame.height, covered.height)
  return {
    width: covered.width + across,
    height: covered.height + down,
    covered,
    left: Math.floor(across / 2),
    top: Math.floor(down / 2),
  }
}

/** A picture in its frame, resized as OpenCV does it: [3, H, W], red, green, blue, 0 to 1. */
export function framedPixels(
  picture: Picture,
  { width, height, covered, left, top }: Letterbox,
): Float32Array {
  const { data } = resizeLinear(picture, covered.width, covered.height)
  const table = Float32Array.from({ length: 256 }, (_, value) => value / 255)
  const plane = width * height
  const pixels = new Float32Array(3 * plane).fill(table[grey]!)
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < covered.height; y++) {
      let to = channel * plane + (top + y) * width + left
      let from = y * covered.width * 3 + channel
      for (let x = 0; x < covered.width; x++) {
        pixels[to++] = table[data[from]!]!
        from += 3
      }
    }
  }
  return pixels
}

/** A box of the frame in pixels of the picture. The two sides were rounded, each to its own scale. */
export function fromLetterbox(
  [x1, y1, x2, y2]: Xyxy,
  { covered, left, top }: Letterbox,
  picture: Size,
): Xyxy {
  const inside: Xyxy = [x1 - left, y1 - top, x2 - left, y2 - top]
  return scaleBox(inside, picture.width / covered.width, picture.height / covered.height)
}
