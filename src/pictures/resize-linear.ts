import { roundHalfEven } from '../base/round-half-even.js'
import type { Picture } from './picture.js'

type Pixels = Pick<Picture, 'width' | 'height' | 'data'>

/** What a weight of 1 is in OpenCV's fixed point: 11 bits behind the point (INTER_RESIZE_COEF_BITS). */
const one = 2048

/**
 * Resizes as OpenCV does with INTER_LINEAR and 8 bits a channel (`cv2.resize` as it is called by default), to the bit:
 * between the two nearest pixels, however much a picture shrinks, in whole numbers. To exactly half of both sides it
 * takes the mean of four, as OpenCV does.
 */
export function resizeLinear(picture: Pixels, width: number, height: number): Pixels {
  if (picture.width === width && picture.height === height) return picture
  if (picture.width === 2 * width && picture.height === 2 * height) return halved(picture)
  const columns = nearest(picture.width, width)
  const rows = nearest(picture.height, height)
  const data = new Uint8Array(width * height * 3)
  const above = new RowCache(picture, columns, width)
  for (let y = 0; y < height; y++) {
    const low = above.row(clamp(rows.first[y]!, picture.height))
    const high = above.row(clamp(rows.first[y]! + 1, picture.height))
    const [lowShare, highShare] = [rows.low[y]!, rows.high[y]!]
    const to = y * width * 3
    for (let at = 0; at < width * 3; at++) {
      const sum = ((lowShare * (low[at]! >> 4)) >> 16) + ((highShare * (high[at]! >> 4)) >> 16)
      data[to + at] = (sum + 2) >> 2
    }
  }
  return { width, height, data }
}

/** For each output the lower of its two pixels, and the shares of both. */
interface Axis {
  readonly first: Int32Array
  readonly low: Int32Array
  readonly high: Int32Array
}

function nearest(from: number, to: number): Axis {
  const scale = 1 / (to / from)
  const axis = { first: new Int32Array(to), low: new Int32Array(to), high: new Int32Array(to) }
  for (let at = 0; at < to; at++) {
    const place = Math.fround((at + 0.5) * scale - 0.5)
    const first = Math.floor(place)
    const share = Math.fround(place - first)
    axis.first[at] = first
    axis.high[at] = roundHalfEven(share * one)
    axis.low[at] = roundHalfEven(Math.fround(1 - share) * one)
  }
  return axis
}

const clamp = (index: number, size: number) => Math.min(Math.max(index, 0), size - 1)

/** Rows of a picture resized along x, times `one`; the last two are kept. */
class RowCache {
  readonly #rows = new Map<number, Int32Array>()

  constructor(
    private readonly picture: Pixels,
    private readonly columns: Axis,
    private readonly width: number,
  ) {}

  row(y: number): Int32Array {
    const known = this.#rows.get(y)
    if (known) return known
    const row = this.#resized(y)
    const [oldest] = this.#rows.keys()
    if (this.#rows.size > 1) this.#rows.delete(oldest!)
    this.#rows.set(y, row)
    return row
  }

  #resized(y: number): Int32Array {
    const { width: from, data } = this.picture
    const { first, low, high } = this.columns
    const row = new Int32Array(this.width * 3)
    for (let x = 0; x < this.width; x++) {
      const pixel = first[x]!
      // Beyond the outermost centres there is one pixel; along y OpenCV takes it twice, which rounds otherwise.
      const isInside = pixel >= 0 && pixel < from - 1
      const at = (y * from + clamp(pixel, from)) * 3
      for (let channel = 0; channel < 3; channel++) {
        row[x * 3 + channel] = isInside
          ? data[at + channel]! * low[x]! + data[at + 3 + channel]! * high[x]!
          : data[at + channel]! * one
      }
    }
    return row
  }
}

function halved({ width: from, height: down, data }: Pixels): Pixels {
  const [width, height] = [from / 2, down / 2]
  const half = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * 3; x++) {
      const at = (2 * y * from + 2 * Math.floor(x / 3)) * 3 + (x % 3)
      const below = at + from * 3
      half[y * width * 3 + x] = (data[at]! + data[at + 3]! + data[below]! + data[below + 3]! + 2) >> 2
    }
  }
  return { width, height, data: half }
}
