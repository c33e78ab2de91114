import type { Picture } from './picture.js'
import { type AxisWeights, gaussianWeights, pillowWeights, type Resample } from './resample-axis.js'

type Pixels = Pick<Picture, 'width' | 'height' | 'data'>

/**
 * Bits behind the point of fixed-point weights, as in Pillow: 32, less 8 for a pixel and 2 against overflow.
 */
const precision = 22

/**
 * Resizes as Pillow does with 8 bits a channel, to the bit: first along rows, then along columns, in whole
 * numbers, rounded to bytes in between. (Pillow 13 takes columns first where that is less work; what
 * checkpoints were trained with did not.) An axis that keeps its size is left alone.
 */
export function resizePicture(picture: Pixels, width: number, height: number, filter: Resample): Pixels {
  const wide = picture.width === width ? picture : resizeRows(picture, width, filter)
  return wide.height === height ? wide : resizeColumns(wide, height, filter)
}

function resizeRows(picture: Pixels, width: number, filter: Resample): Pixels {
  const axis = fixedPoint(pillowWeights(picture.width, width, filter))
  const data = axis.count.every((taps) => taps <= 4)
    ? rowsOfFour(picture, width, axis)
    : rowsOfMany(picture, width, axis)
  return { width, height: picture.height, data: new Uint8Array(data.buffer) }
}

/**
 * For a picture that grows: always four taps. A place that has fewer reads its last pixel again, with weight
 * 0.
 */
function rowsOfFour({ width: from, height, data }: Pixels, width: number, axis: FixedPointWeights) {
  const { first, count, width: taps, weights } = axis
  const places = new Int32Array(width * 4)
  const shares = new Int32Array(width * 4)
  for (let x = 0; x < width; x++) {
    for (let tap = 0; tap < 4; tap++) {
      places[4 * x + tap] = (first[x]! + Math.min(tap, count[x]! - 1)) * 3
      shares[4 * x + tap] = tap < count[x]! ? weights[x * taps + tap]! : 0
    }
  }
  const result = new Uint8ClampedArray(width * height * 3)
  let to = 0
  for (let y = 0; y < height; y++) {
    const row = y * from * 3
    for (let x = 0; x < width * 4; x += 4) {
      const a = row + places[x]!
      const b = row + places[x + 1]!
      const c = row + places[x + 2]!
      const d = row + places[x + 3]!
      const wa = shares[x]!
      const wb = shares[x + 1]!
      const wc = shares[x + 2]!
      const wd = shares[x + 3]!
      result[to] = (half + data[a]! * wa + data[b]! * wb + data[c]! * wc + data[d]! * wd) >> precision
      result[to + 1] =
        (half + data[a + 1]! * wa + data[b + 1]! * wb + data[c + 1]! * wc + data[d + 1]! * wd) >> precision
      result[to + 2] =
        (half + data[a + 2]! * wa + data[b + 2]! * wb + data[c + 2]! * wc + data[d + 2]! * wd) >> precision
      to += 3
    }
  }
  return result
}

function rowsOfMany({ width: from, height, data }: Pixels, width: number, axis: FixedPointWeights) {
  const { first, count, width: taps, weights } = axis
  const result = new Uint8ClampedArray(width * height * 3)
  let to = 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let red = half
      let green = half
      let blue = half
      let at = (y * from + first[x]!) * 3
      const end = x * taps + count[x]!
      for (let tap = x * taps; tap < end; tap++) {
        const weight = weights[tap]!
        // `| 0` tells the compiler that these are integers of 32 bits; sums in a loop it takes for floats.
        red = (red + Math.imul(data[at]!, weight)) | 0
        green = (green + Math.imul(data[at + 1]!, weight)) | 0
        blue = (blue + Math.imul(data[at + 2]!, weight)) | 0
        at += 3
      }
      result[to++] = red >> precision
      result[to++] = green >> precision
      result[to++] = blue >> precision
    }
  }
  return result
}

function resizeColumns({ width, data }: Pixels, height: number, filter: Resample): Pixels {
  const from = data.length / width / 3
  const { first, count, width: taps, weights } = fixedPoint(pillowWeights(from, height, filter))
  const stride = width * 3
  const result = new Uint8ClampedArray(stride * height)
  const sums = new Int32Array(stride)
  for (let y = 0; y < height; y++) {
    const to = y * stride
    const last = count[y]! - 1
    sums.fill(half)
    // Two rows at a time: a picture that grows has two, or four, of which the last two give the result.
    for (let tap = 0; tap <= last; tap += 2) {
      const above = (first[y]! + tap) * stride
      const below = tap < last ? above + stride : above
      const upper = weights[y * taps + tap]!
      const lower = tap < last ? weights[y * taps + tap + 1]! : 0
      if (tap + 1 < last)
        for (let at = 0; at < stride; at++) sums[at]! += data[above + at]! * upper + data[below + at]! * lower
      else
        for (let at = 0; at < stride; at++)
          result[to + at] = (sums[at]! + data[above + at]! * upper + data[below + at]! * lower) >> precision
    }
  }
  return { width, height, data: new Uint8Array(result.buffer) }
}

const half = 1 << (precision - 1)

interface FixedPointWeights extends Omit<AxisWeights, 'weights'> {
  readonly weights: Int32Array
  /** Weights of each output before the zeros at its end. */
  readonly count: Int32Array
}

/** Weights as fixed-point numbers of `precision` bits behind the point. */
function fixedPoint({ first, width, weights }: AxisWeights): FixedPointWeights {
  const whole = Int32Array.from(weights, (weight) =>
    Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 2 ** precision),
  )
  const count = Int32Array.from(first, (_, at) => {
    let taps = width
    while (taps > 1 && whole[at * width + taps - 1] === 0) taps--
    return taps
  })
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
