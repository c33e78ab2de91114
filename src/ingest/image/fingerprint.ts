import { fingerprintLayout, type Keypoint, packFingerprint } from '../../rows/fingerprint.js'
import type { Pixels } from './difference-hash.js'

const { side, keypoints: maxKeypoints, cells } = fingerprintLayout

/** Samples of a cell's side: with more of them the blur would give the same. */
const samples = 2
/** Those of a picture that has fewer pixels than that. */
const smallSamples = 8
/** Half the side of what is looked at around a keypoint. */
const reach = 12
/** Keypoints lie so far from the rim that of what is around them little is missing. */
const margin = 9
/** A keypoint is the extreme of the square that reaches so far. */
const apart = 3
/** Luma, of 255, by which a keypoint must stand out: less is noise of the encoding. */
const minContrast = 0.3

/**
 * A picture's fingerprint: its keypoints and its colours, by which copies of it are known that lack a rim, are mirrored
 * or have a logo. Keypoints are extremes of a difference of Gaussians (Lowe 2004) of the picture drawn into a square,
 * and their codes are the signs of low frequencies of a DCT of what is around them, as pHash and PDQ take them of a
 * whole picture: they move with the content where a rim is cut off, and a logo hides few of them.
 */
export function fingerprint(pixels: Pixels): string {
  const { luma, colours } = gridsOf(pixels)
  const fine = blurred(luma)
  const contrast = subtracted(fine, wide(fine))
  return packFingerprint(
    strongest(contrast).map((spot) => describe(fine, spot)),
    colours,
  )
}

/** Luma of the cells of a grid of `side`, and the colours of one of `cells`. */
function gridsOf({ data, width, height, channels }: Pixels) {
  const luma = new Float32Array(side * side)
  const sums = new Float64Array(3 * cells * cells)
  const xs = samplesOf(width)
  const ys = samplesOf(height)
  const [across, down] = [xs.length / side, ys.length / side]
  // Of grey all three are the same sample.
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  const size = side / cells
  for (let at = 0; at < ys.length; at++) {
    const start = ys[at]! * width
    const line = side * Math.floor(at / down)
    const part = 3 * cells * Math.floor((at * cells) / ys.length)
    let cell = 0
    for (let sum = part; sum < part + 3 * cells; sum += 3) {
      let [r, g, b] = [0, 0, 0]
      for (const end = cell + size; cell < end; cell++) {
        let [cellR, cellG, cellB] = [0, 0, 0]
        for (let sample = across * cell; sample < across * (cell + 1); sample++) {
          const pixel = (start + xs[sample]!) * channels
          cellR += data[pixel]!
          cellG += data[pixel + green]!
          cellB += data[pixel + blue]!
        }
        // ITU-R BT.601.
        luma[line + cell]! += (0.299 * cellR + 0.587 * cellG + 0.114 * cellB) / (across * down)
        r += cellR
        g += cellG
        b += cellB
      }
      sums[sum]! += r
      sums[sum + 1]! += g
      sums[sum + 2]! += b
    }
  }
  return { luma, colours: coloursOf(sums, across * down * size ** 2) }
}

/** Luma, Cb and Cr of parts of a picture, by the sums of red, green and blue of so many pixels each. */
function coloursOf(sums: Float64Array, pixels: number): Uint8Array {
  const colours = new Uint8ClampedArray(sums.length)
  for (let at = 0; at < sums.length; at += 3) {
    const [r, g, b] = [sums[at]! / pixels, sums[at + 1]! / pixels, sums[at + 2]! / pixels]
    colours[at] = 0.299 * r + 0.587 * g + 0.114 * b
    colours[at + 1] = 128 - 0.168736 * r - 0.331264 * g + 0.5 * b
    colours[at + 2] = 128 + 0.5 * r - 0.418688 * g - 0.081312 * b
  }
  return new Uint8Array(colours.buffer)
}

/**
 * Pixels of a side at which it is sampled, as many for each cell, the same from both ends: of a small picture so many
 * that a pixel counts by what of it lies in the cell.
 */
function samplesOf(size: number): Int32Array {
  const count = side * (size === side ? 1 : size < samples * side ? smallSamples : samples)
  return Int32Array.from({ length: count }, (_, at) => Math.floor(((at + 0.5) * size) / count))
}

/** By 1 4 6 4 1 of 16 each way, a sigma of 1. */
const blurred = (source: Float32Array) =>
  eachWay(source, (line, to, start, step) => {
    for (let at = 0; at < side; at++) {
      const middle = at + rim
      const sum = line[middle - 2]! + line[middle + 2]! + 4 * (line[middle - 1]! + line[middle + 1]!)
      to[start + step * at] = (sum + 6 * line[middle]!) / 16
    }
  })

/** By two means of seven each way, a sigma of 2.8. */
function wide(source: Float32Array): Float32Array {
  const mean: Filter = (line, to, start, step) => {
    let sum = 0
    for (let at = 0; at < 2 * rim; at++) sum += line[at]!
    for (let at = 0; at < side; at++) {
      sum += line[at + 2 * rim]!
      to[start + step * at] = sum / (2 * rim + 1)
      sum -= line[at]!
    }
  }
  return eachWay(eachWay(source, mean), mean)
}

/** What filters see beyond the rim: its own value. */
const rim = 3

/** Filters a line of `side` values with a rim at both ends. */
type Filter = (line: Float32Array, to: Float32Array, start: number, step: number) => void

function eachWay(source: Float32Array, filter: Filter): Float32Array {
  const line = new Float32Array(side + 2 * rim)
  const once = new Float32Array(side * side)
  const twice = new Float32Array(side * side)
  const pass = (from: Float32Array, to: Float32Array, start: number, step: number) => {
    for (let at = 0; at < side; at++) line[at + rim] = from[start + step * at]!
    line.fill(line[rim]!, 0, rim)
    line.fill(line[rim + side - 1]!, rim + side)
    filter(line, to, start, step)
  }
  for (let y = 0; y < side; y++) pass(source, once, y * side, 1)
  for (let x = 0; x < side; x++) pass(once, twice, x, side)
  return twice
}

function subtracted(from: Float32Array, what: Float32Array): Float32Array {
  const difference = new Float32Array(side * side)
  for (let at = 0; at < difference.length; at++) difference[at] = from[at]! - what[at]!
  return difference
}

interface Spot {
  readonly x: number
  readonly y: number
  readonly strength: number
}

/** Extremes of either sign, the strongest first. */
function strongest(contrast: Float32Array): Spot[] {
  const spots: Spot[] = []
  for (let y = margin; y < side - margin; y++) {
    for (let x = margin; x < side - margin; x++) {
      const at = y * side + x
      const value = contrast[at]!
      if (Math.abs(value) < minContrast || !isExtreme(contrast, at)) continue
      spots.push({
        x: x + peak(contrast[at - 1]!, value, contrast[at + 1]!),
        y: y + peak(contrast[at - side]!, value, contrast[at + side]!),
        strength: Math.abs(value),
      })
    }
  }
  return spots.sort((one, other) => other.strength - one.strength).slice(0, maxKeypoints)
}

function isExtreme(contrast: Float32Array, at: number): boolean {
  const value = contrast[at]!
  const sign = value < 0 ? -1 : 1
  const height = sign * value
  // Most are not as high as what is next to them.
  if (sign * contrast[at - 1]! > height || sign * contrast[at + 1]! > height) return false
  for (let row = at - apart * side; row <= at + apart * side; row += side) {
    for (let other = row - apart; other <= row + apart; other++)
      if (sign * contrast[other]! > height) return false
  }
  return true
}

/** Where a parabola through three values has its extreme, from the middle one. */
function peak(before: number, middle: number, after: number): number {
  const bend = before - 2 * middle + after
  return bend === 0 ? 0 : Math.max(-0.5, Math.min(0.5, (before - after) / (2 * bend)))
}

/** What is around a keypoint is sampled at every second cell. */
const stride = 2
const points = (reach / stride) * 2 + 1
const frequencies = 7
/** Cosines that fade towards the rim, where what is seen changes most as the picture is cut. */
const cosines = Array.from({ length: frequencies }, (_, frequency) =>
  Float32Array.from({ length: points }, (_, at) => {
    const place = (at + 0.5) / points
    return Math.cos(Math.PI * frequency * place) * Math.sin(Math.PI * place) ** 0.75
  }),
)
/** The 32 lowest frequencies but the mean. */
const coded = cosines
  .flatMap((_, across) => cosines.map((_, down) => ({ across, down, height: Math.hypot(across, down) })))
  .sort((one, other) => one.height - other.height || one.across - other.across)
  .slice(1, 33)
/** Says which way round the code is. */
const handed = coded.findIndex(({ across, down }) => across === 1 && down === 0)

function describe(fine: Float32Array, { x, y }: Spot): Keypoint {
  const patch = new Float32Array(points * points)
  let sum = 0
  for (let row = 0; row < points; row++) {
    for (let column = 0; column < points; column++)
      sum += patch[row * points + column] = valueAt(
        fine,
        x + stride * column - reach,
        y + stride * row - reach,
      )
  }
  const mean = sum / points ** 2
  const across = new Float32Array(points * frequencies)
  for (let row = 0; row < points; row++) {
    for (let frequency = 0; frequency < frequencies; frequency++) {
      const cosine = cosines[frequency]!
      let value = 0
      for (let column = 0; column < points; column++)
        value += cosine[column]! * (patch[row * points + column]! - mean)
      across[row * frequencies + frequency] = value
    }
  }
  const values = new Float32Array(coded.length)
  for (const [bit, { across: frequency, down, height }] of coded.entries()) {
    const cosine = cosines[down]!
    let value = 0
    for (let row = 0; row < points; row++) value += cosine[row]! * across[row * frequencies + frequency]!
    // Pictures have less of a frequency the higher it is.
    values[bit] = value * height
  }
  const mirrored = values[handed]! < 0
  let code = 0
  for (const [bit, { across: frequency }] of coded.entries()) {
    const value = mirrored && frequency % 2 === 1 ? -values[bit]! : values[bit]!
    if (value > 0) code |= 1 << bit
  }
  return { x, y, code: code >>> 0, mirrored, unsure: smallest(values) }
}

/** Places of the three values next to zero. */
function smallest(values: Float32Array): [number, number, number] {
  const places: [number, number, number] = [0, 0, 0]
  const sizes = [Infinity, Infinity, Infinity]
  for (let place = 0; place < values.length; place++) {
    const size = Math.abs(values[place]!)
    let rank = 3
    while (rank > 0 && size < sizes[rank - 1]!) rank--
    if (rank === 3) continue
    sizes.splice(rank, 0, size)
    places.splice(rank, 0, place)
    sizes.length = 3
    places.length = 3
  }
  return places
}

/** The value between four cells. */
function valueAt(grid: Float32Array, x: number, y: number): number {
  const left = Math.max(0, Math.min(side - 1.001, x))
  const top = Math.max(0, Math.min(side - 1.001, y))
  const at = Math.floor(top) * side + Math.floor(left)
  const right = left % 1
  const low = top % 1
  return (
    (1 - low) * ((1 - right) * grid[at]! + right * grid[at + 1]!) +
    low * ((1 - right) * grid[at + side]! + right * grid[at + side + 1]!)
  )
}
