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
  const colours = readGrids(pixels)
  eachWay(luma, blur, fine)
  eachWay(fine, mean, contrast)
  eachWay(contrast, mean, contrast)
  for (let at = 0; at < contrast.length; at++) contrast[at] = fine[at]! - contrast[at]!
  return packFingerprint(strongest().map(describe), colours)
}

// Grids that every picture is worked on in, one picture at a time: new ones would take longer than a filter.
const luma = new Float32Array(side * side)
const fine = new Float32Array(side * side)
const contrast = new Float32Array(side * side)
/** A filter's values after its first way. */
const turned = new Float32Array(side * side)

/** Reads the luma of the cells of a grid of `side`; and gives the colours of one of `cells`. */
function readGrids({ data, width, height, channels }: Pixels): Uint8Array {
  luma.fill(0)
  const sums = new Float64Array(3 * cells * cells)
  // In pairs: of as many pixels as cells each twice.
  const xs = samplesOf(width, channels, 2)
  const ys = samplesOf(height, width * channels, 1)
  const across = xs.length / side
  const down = ys.length / side
  // A power of two: as exact as to divide.
  const share = 1 / (across * down)
  // Of grey all three are the same sample.
  const green = channels < 3 ? 0 : 1
  const blue = channels < 3 ? 0 : 2
  const size = side / cells
  for (let at = 0; at < ys.length; at++) {
    const start = ys[at]!
    const part = 3 * cells * Math.floor((at * cells) / ys.length)
    let cell = side * Math.floor(at / down)
    let sample = 0
    for (let sum = part; sum < part + 3 * cells; sum += 3) {
      let r = 0
      let g = 0
      let b = 0
      for (const end = cell + size; cell < end; cell++) {
        let cellR = 0
        let cellG = 0
        let cellB = 0
        for (const end = sample + across; sample < end; sample += 2) {
          const one = start + xs[sample]!
          const other = start + xs[sample + 1]!
          cellR += data[one]! + data[other]!
          cellG += data[one + green]! + data[other + green]!
          cellB += data[one + blue]! + data[other + blue]!
        }
        // ITU-R BT.601.
        luma[cell]! += (0.299 * cellR + 0.587 * cellG + 0.114 * cellB) * share
        r += cellR
        g += cellG
        b += cellB
      }
      sums[sum]! += r
      sums[sum + 1]! += g
      sums[sum + 2]! += b
    }
  }
  return coloursOf(sums, across * down * size ** 2)
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
 * that a pixel counts by what of it lies in the cell. Where they lie in the data, in which one is `step` long.
 */
function samplesOf(size: number, step: number, least: number): Int32Array {
  const count = side * (size === side ? least : size < samples * side ? smallSamples : samples)
  const places = new Int32Array(count)
  for (let at = 0; at < count; at++) places[at] = step * Math.floor(((at + 0.5) * size) / count)
  return places
}

/** Filters rows. What it makes of each is a column, so that the same again filters the columns and turns them back. */
type Filter = (from: Float32Array, to: Float32Array) => void

function eachWay(source: Float32Array, filter: Filter, to: Float32Array): void {
  filter(source, turned)
  filter(turned, to)
}

/** By 1 4 6 4 1 of 16, a sigma of 1. Beyond the rim lies its own value. */
const blur: Filter = (from, to) => {
  for (let row = 0; row < side; row++) {
    const start = row * side
    const end = start + side - 1
    let first = from[start]!
    let second = first
    let middle = first
    let fourth = from[start + 1]!
    for (let at = 0; at < side; at++) {
      const fifth = from[Math.min(end, start + at + 2)]!
      to[side * at + row] = (first + fifth + 4 * (second + fourth) + 6 * middle) * 0.0625
      first = second
      second = middle
      middle = fourth
      fourth = fifth
    }
  }
}

/** By the mean of seven; twice it is a sigma of 2.8. Beyond the rim lies its own value. */
const mean: Filter = (from, to) => {
  for (let row = 0; row < side; row++) {
    const start = row * side
    const end = start + side - 1
    // Sums of seven floats of the sizes that luma has are exact, in whatever order.
    let sum = 4 * from[start]! + from[start + 1]! + from[start + 2]! + from[start + 3]!
    for (let at = start; at <= end; at++) {
      to[side * (at - start) + row] = sum / 7
      sum += from[Math.min(end, at + 4)]! - from[Math.max(start, at - 3)]!
    }
  }
}

interface Spot {
  readonly x: number
  readonly y: number
  readonly strength: number
}

/** Extremes of either sign, the strongest first. */
function strongest(): Spot[] {
  const spots: Spot[] = []
  for (let y = margin; y < side - margin; y++) {
    for (let x = margin; x < side - margin; x++) {
      const at = y * side + x
      const value = contrast[at]!
      if (Math.abs(value) < minContrast || !isExtreme(at)) continue
      spots.push({
        x: x + peak(contrast[at - 1]!, value, contrast[at + 1]!),
        y: y + peak(contrast[at - side]!, value, contrast[at + side]!),
        strength: Math.abs(value),
      })
    }
  }
  return spots.sort((one, other) => other.strength - one.strength).slice(0, maxKeypoints)
}

function isExtreme(at: number): boolean {
  const value = contrast[at]!
  const sign = value < 0 ? -1 : 1
  const height = sign * value
  // Most are not as high as what is next to them: one question, for a processor cannot guess the answer.
  const beside = Math.max(sign * contrast[at - 1]!, sign * contrast[at + 1]!)
  if (Math.max(beside, sign * contrast[at - side]!, sign * contrast[at + side]!) > height) return false
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
/** Cosines that fade towards the rim, where what is seen changes most as the picture is cut: for each point one a frequency. */
const cosines = Float32Array.from({ length: points * frequencies }, (_, index) => {
  const place = (Math.floor(index / frequencies) + 0.5) / points
  const frequency = index % frequencies
  return Math.cos(Math.PI * frequency * place) * Math.sin(Math.PI * place) ** 0.75
})
/** The 32 lowest frequencies but the mean. */
const coded = Array.from({ length: frequencies ** 2 }, (_, index) => {
  const [across, down] = [Math.floor(index / frequencies), index % frequencies]
  return { across, down, height: Math.hypot(across, down) }
})
  .sort((one, other) => one.height - other.height || one.across - other.across)
  .slice(1, 33)
/** Says which way round the code is. */
const handed = coded.findIndex(({ across, down }) => across === 1 && down === 0)

// What a keypoint is described in, one after the other.
const patch = new Float64Array(points * points)
const lefts = new Int32Array(points)
const rights = new Float64Array(points)
/** For each row its frequencies across. */
const acrosses = new Float32Array(points * frequencies)
const values = new Float32Array(coded.length)

function describe({ x, y }: Spot): Keypoint {
  fillPatch(x, y)
  for (let row = 0; row < points; row++) transformRow(row)
  for (let bit = 0; bit < coded.length; bit++) {
    const { across, down, height } = coded[bit]!
    let value = 0
    for (let row = 0; row < points * frequencies; row += frequencies)
      value += cosines[row + down]! * acrosses[row + across]!
    // Pictures have less of a frequency the higher it is.
    values[bit] = value * height
  }
  const mirrored = values[handed]! < 0
  let code = 0
  for (let bit = 0; bit < coded.length; bit++) {
    const value = values[bit]!
    if (mirrored && coded[bit]!.across % 2 === 1 ? value < 0 : value > 0) code |= 1 << bit
  }
  return { x, y, code: code >>> 0, mirrored, unsure: smallest() }
}

/** Seven sums at once take no longer than one, of which each step waits for the one before. */
function transformRow(row: number): void {
  let [a, b, c, d, e, f, g] = [0, 0, 0, 0, 0, 0, 0]
  let at = 0
  for (let point = row * points; point < (row + 1) * points; point++, at += frequencies) {
    const value = patch[point]!
    a += cosines[at]! * value
    b += cosines[at + 1]! * value
    c += cosines[at + 2]! * value
    d += cosines[at + 3]! * value
    e += cosines[at + 4]! * value
    f += cosines[at + 5]! * value
    g += cosines[at + 6]! * value
  }
  const to = row * frequencies
  acrosses[to] = a
  acrosses[to + 1] = b
  acrosses[to + 2] = c
  acrosses[to + 3] = d
  acrosses[to + 4] = e
  acrosses[to + 5] = f
  acrosses[to + 6] = g
}

/** What is around a spot, between the cells and without its mean. */
function fillPatch(x: number, y: number): void {
  const last = side - 1.001
  for (let column = 0; column < points; column++) {
    const left = Math.max(0, Math.min(last, x + stride * column - reach))
    lefts[column] = left
    rights[column] = left - Math.floor(left)
  }
  let sum = 0
  let to = 0
  for (let row = 0; row < points; row++) {
    const top = Math.max(0, Math.min(last, y + stride * row - reach))
    const start = side * Math.floor(top)
    const low = top - Math.floor(top)
    for (let column = 0; column < points; column++) {
      const at = start + lefts[column]!
      const right = rights[column]!
      const upper = (1 - right) * fine[at]! + right * fine[at + 1]!
      const lower = (1 - right) * fine[at + side]! + right * fine[at + side + 1]!
      const value = (1 - low) * upper + low * lower
      patch[to++] = Math.fround(value)
      sum += value
    }
  }
  const mean = sum / points ** 2
  for (let at = 0; at < patch.length; at++) patch[at]! -= mean
}

/** Places of the three values next to zero. */
function smallest(): [number, number, number] {
  let [first, second, third] = [0, 0, 0]
  let [least, next, last] = [Infinity, Infinity, Infinity]
  for (let place = 0; place < values.length; place++) {
    const size = Math.abs(values[place]!)
    if (size >= last) continue
    ;[third, last] = [place, size]
    if (last < next) [second, next, third, last] = [third, last, second, next]
    if (next < least) [first, least, second, next] = [second, next, first, least]
  }
  return [first, second, third]
}
