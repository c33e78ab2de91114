import { LruCache } from '../base/lru-cache.js'
import type { Picture } from './picture.js'
import { type AxisWeights, gaussianWeights, pillowWeights, type Resample } from './resample-axis.js'
import { type FixedPointWeights, precision, resizeAlongColumns, resizeAlongRows } from './resize-kernel.js'

type Pixels = Pick<Picture, 'width' | 'height' | 'data'>

/**
 * Resizes as Pillow does with 8 bits a channel, to the bit: first along rows, then along columns, in whole
 * numbers, rounded to bytes in between. (Pillow 13 takes columns first where that is less work; what
 * checkpoints were trained with did not.) An axis that keeps its size is left alone.
 */
export function resizePicture(picture: Pixels, width: number, height: number, filter: Resample): Pixels {
  const wide = picture.width === width ? picture : resizeRows(picture, width, filter)
  return wide.height === height ? wide : resizeColumns(wide, height, filter)
}

function resizeRows({ width: from, height, data }: Pixels, width: number, filter: Resample): Pixels {
  const axis = axisOf(from, width, filter)
  return { width, height, data: resizeAlongRows(data, from, axis) }
}

function resizeColumns({ width, height: from, data }: Pixels, height: number, filter: Resample): Pixels {
  const axis = axisOf(from, height, filter)
  return { width, height, data: resizeAlongColumns(data, 3 * width, axis) }
}

/** Pictures of one size follow each other: to work their weights out takes as long as to use them. */
const axes = new LruCache<string, FixedPointWeights>({ maxSize: 64 })

function axisOf(from: number, to: number, filter: Resample): FixedPointWeights {
  const key = `${from} ${to} ${filter}`
  const axis = axes.get(key) ?? fixedPoint(pillowWeights(from, to, filter))
  axes.set(key, axis)
  return axis
}

/** Weights as fixed-point numbers of `precision` bits behind the point. */
function fixedPoint({ first, width, weights }: AxisWeights): FixedPointWeights {
  const whole = new Int32Array(weights.length)
  for (let at = 0; at < weights.length; at++)
    whole[at] = Math.trunc((weights[at]! < 0 ? -0.5 : 0.5) + weights[at]! * 2 ** precision)
  const count = new Int32Array(first.length)
  for (let at = 0; at < count.length; at++) {
    let taps = width
    while (taps > 1 && whole[at * width + taps - 1] === 0) taps--
    count[at] = taps
  }
  return { first, count, width, weights: whole }
}

/**
 * OWLv2's way: the picture at the upper left of a square, the rest of it `pad`, the square resized by
 * `gaussianWeights`. The padding is never laid out: its share of an output pixel is what the picture's pixels
 * leave of 1.
 *
 * @param rescale what a byte is multiplied with, most often 1 / 255
 * @param pad in what `rescale` makes of bytes
 * @param write is given channel, row, column and the value
 */
export function resizeOnSquare(
  { width, height, data }: Pixels,
  to: { readonly width: number; readonly height: number },
  rescale: number,
  pad: number,
  write: (channel: number, y: number, x: number, value: number) => void,
): void {
  const side = Math.max(width, height)
  const columns = inside(gaussianWeights(side, to.width), width)
  const rows = inside(gaussianWeights(side, to.height), height)
  const stride = to.width * 3
  const wide = new Float32Array(height * stride)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < to.width; x++) {
      const { first, count } = columns.spans[x]!
      let red = 0
      let green = 0
      let blue = 0
      let at = (y * width + first) * 3
      for (let tap = x * columns.width; tap < x * columns.width + count; tap++) {
        const weight = columns.weights[tap]!
        red += data[at]! * weight
        green += data[at + 1]! * weight
        blue += data[at + 2]! * weight
        at += 3
      }
      const to = y * stride + x * 3
      wide[to] = red
      wide[to + 1] = green
      wide[to + 2] = blue
    }
  }
  const sums = new Float64Array(stride)
  for (let y = 0; y < to.height; y++) {
    sums.fill(0)
    const { first, count, share } = rows.spans[y]!
    for (let tap = 0; tap < count; tap++) {
      const weight = rows.weights[y * rows.width + tap]! * rescale
      const row = (first + tap) * stride
      for (let at = 0; at < stride; at++) sums[at]! += wide[row + at]! * weight
    }
    for (let x = 0; x < to.width; x++) {
      const rest = pad * (1 - share * columns.spans[x]!.share)
      for (let channel = 0; channel < 3; channel++) write(channel, y, x, sums[x * 3 + channel]! + rest)
    }
  }
}

/** The part of each output's weights that lies on the picture, and how much of 1 that is. */
function inside({ first, width, weights }: AxisWeights, size: number) {
  const spans = Array.from(first, (start, at) => {
    const count = Math.max(0, Math.min(width, size - start))
    let share = 0
    for (let tap = 0; tap < count; tap++) share += weights[at * width + tap]!
    return { first: start, count, share }
  })
  return { spans, width, weights }
}
