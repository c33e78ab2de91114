import { scaleBox, scalePixelBox, type Xyxy } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'
import type { BoxEdges, GlipConfig } from './network/config.js'

/**
 * How a picture lies on the network's square: pixel (x, y) of the picture at (x scale + dx, y scale + dy).
 */
export interface Placement {
  readonly scale: number
  readonly dx: number
  readonly dy: number
  /** Mirrored left to right inside the area that it covers. */
  readonly flipped: boolean
  /** Colours as a linear function of the picture's, the same for all three: contrast and brightness. */
  readonly gain: number
  readonly offset: number
}

/** Upright, at the top left, as large as fits: what the network sees when it is not trained. */
export function plainPlacement({ width, height }: Picture, { image_size }: GlipConfig): Placement {
  return { scale: image_size / Math.max(width, height), dx: 0, dy: 0, flipped: false, gain: 1, offset: 0 }
}

/**
 * Writes a picture into one sample of an input [N, S, S, 3], bilinearly, normalised by mean and deviation;
 * what the picture does not cover is 0, as the official code pads after normalising.
 */
export function writeImage(
  into: Float32Array,
  sample: number,
  picture: Picture,
  { scale, dx, dy, flipped, gain, offset }: Placement,
  { image_size: size, image_mean, image_std, image_channels }: GlipConfig,
): void {
  const { width, height, data } = picture
  const [red, green, blue] = image_channels === 'bgr' ? ([2, 1, 0] as const) : ([0, 1, 2] as const)
  const factorOf = (colour: 0 | 1 | 2) => gain / 255 / image_std[colour]
  const shiftOf = (colour: 0 | 1 | 2) => (offset - image_mean[colour]) / image_std[colour]
  const [redFactor, greenFactor, blueFactor] = [factorOf(red), factorOf(green), factorOf(blue)]
  const [redShift, greenShift, blueShift] = [shiftOf(red), shiftOf(green), shiftOf(blue)]
  // Column by column: the two source pixels and the weight of the second, the same for every row.
  const columns = axis(size, width, scale, dx, flipped)
  const rows = axis(size, height, scale, dy, false)
  let at = sample * size * size * 3
  for (let y = 0; y < size; y++) {
    const top = rows.first[y]!
    if (top < 0) {
      into.fill(0, at, at + size * 3)
      at += size * 3
      continue
    }
    const upper = top * width
    const lower = rows.second[y]! * width
    const wy = rows.weight[y]!
    for (let x = 0; x < size; x++) {
      const left = columns.first[x]!
      if (left < 0) {
        into[at] = into[at + 1] = into[at + 2] = 0
        at += 3
        continue
      }
      const right = columns.second[x]!
      const wx = columns.weight[x]!
      const a = (upper + left) * 3
      const b = (upper + right) * 3
      const c = (lower + left) * 3
      const d = (lower + right) * 3
      into[at] = blend(data, a + red, b + red, c + red, d + red, wx, wy) * redFactor + redShift
      into[at + 1] =
        blend(data, a + green, b + green, c + green, d + green, wx, wy) * greenFactor + greenShift
      into[at + 2] = blend(data, a + blue, b + blue, c + blue, d + blue, wx, wy) * blueFactor + blueShift
      at += 3
    }
  }
}

/** Between four numbers, the upper two and the lower two of which are `wx` apart. */
function blend(data: Uint8Array, a: number, b: number, c: number, d: number, wx: number, wy: number): number {
  const high = data[a]! + (data[b]! - data[a]!) * wx
  const low = data[c]! + (data[d]! - data[c]!) * wx
  return high + (low - high) * wy
}

interface Axis {
  /** Nearer source pixel on the low side, or -1 outside the picture. */
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weight: Float32Array
}

function axis(size: number, length: number, scale: number, shift: number, flipped: boolean): Axis {
  const first = new Int32Array(size)
  const second = new Int32Array(size)
  const weight = new Float32Array(size)
  for (let index = 0; index < size; index++) {
    let at = (index + 0.5 - shift) / scale
    if (at < 0 || at > length) {
      first[index] = -1
      continue
    }
    if (flipped) at = length - at
    const place = Math.min(length - 1, Math.max(0, at - 0.5))
    const low = Math.floor(place)
    first[index] = low
    second[index] = Math.min(length - 1, low + 1)
    weight[index] = place - low
  }
  return { first, second, weight }
}

/**
 * A box of the stored picture, in pixels of the network's input.
 *
 * @param picture decoded, maybe smaller than it is stored
 * @param edges what the network's boxes are: see `BoxEdges`
 */
export function placeBox(
  box: Xyxy,
  { width, scale: decoded }: Pick<Picture, 'width' | 'scale'>,
  { scale, dx, dy, flipped }: Placement,
  edges: BoxEdges,
): Xyxy {
  if (edges === 'pixel_centres') {
    // The official code mirrors the resized picture, and with it boxes that are already scaled.
    const [x1, y1, x2, y2] = scalePixelBox(box, decoded * scale)
    const shown = width * scale
    const [left, right] = flipped ? [shown - x2, shown - x1] : [x1, x2]
    return [left + dx, y1 + dy, right + dx, y2 + dy]
  }
  const [x1, y1, x2, y2] = scaleBox(box, decoded)
  const [left, right] = flipped ? [width - x2, width - x1] : [x1, x2]
  return [left * scale + dx, y1 * scale + dy, right * scale + dx, y2 * scale + dy]
}
