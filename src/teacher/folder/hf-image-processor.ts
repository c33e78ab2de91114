import { roundHalfEven } from '../../base/round-half-even.js'
import type { Picture } from '../../pictures/picture.js'
import type { Resample } from '../../pictures/resample-axis.js'
import { resizeOnSquare, resizePicture } from '../../pictures/resize-picture.js'

export interface Size {
  readonly width: number
  readonly height: number
}

/** What a Hugging Face folder says of pictures (`readImageProcessor`). */
export interface ImageProcessor {
  /**
   * The shorter side, while the longer one stays within bounds; both sides; or what both sides stay within,
   * one of them reaching it.
   */
  readonly size:
    | { readonly shortest: number; readonly longest: number | undefined }
    | Size
    | { readonly maxHeight: number; readonly maxWidth: number }
  /** What pictures are padded to, where that is fixed. */
  readonly padTo?: Size
  /** What is cut out of the middle of a resized picture (CLIP). */
  readonly crop?: Size
  readonly resample: Resample
  readonly rescale: number
  readonly mean: readonly [number, number, number]
  readonly std: readonly [number, number, number]
  /**
   * Set where pictures are put on a square before they are resized (OWLv2): the colour of the rest, 0 to 1.
   */
  readonly square: number | undefined
}

/** The size that a picture is resized to. */
export function resizedSize({ size }: ImageProcessor, { width, height }: Size): Size {
  if ('maxHeight' in size) {
    const scale = Math.min(size.maxHeight / height, size.maxWidth / width)
    const scaled = (side: number) => Math.max(1, Math.trunc(side * scale))
    return { width: scaled(width), height: scaled(height) }
  }
  if (!('shortest' in size)) return size
  const { shortest, longest } = size
  const [low, high] = [Math.min(width, height), Math.max(width, height)]
  // Where the longer side decides, the shorter one is rounded (ties to even, as Python rounds), and the
  // longer one is cut.
  const raw = longest !== undefined && (high / low) * shortest > longest ? (longest * low) / high : undefined
  const edge = raw === undefined ? shortest : roundHalfEven(raw)
  if (low === edge) return { width, height }
  const other = Math.max(1, Math.trunc(((raw ?? edge) * high) / low))
  return width < height ? { width: edge, height: other } : { width: other, height: edge }
}

/** Pictures as a network reads them. */
export interface ImageBatch {
  /** [N, 3, H, W] */
  readonly pixels: Float32Array
  readonly height: number
  readonly width: number
  /** What each picture covers, from the upper left. */
  readonly covered: readonly Size[]
}

/**
 * Resizes and normalises pictures and lays each at the upper left of its part of the batch, which is as large
 * as the largest of them, or as `fixed`; what a picture does not cover is 0. A picture too large for a fixed
 * size is made to fit, its aspect kept; where `fill` is set it is stretched over the whole instead.
 */
export function prepareImages(
  processor: ImageProcessor,
  pictures: readonly Picture[],
  fixed: Size | undefined,
  fill: boolean,
): ImageBatch {
  const covered = pictures.map((picture) => {
    const wanted = processor.crop ?? resizedSize(processor, picture)
    if (!fixed) return wanted
    if (fill) return fixed
    const shrink = Math.min(1, fixed.width / wanted.width, fixed.height / wanted.height)
    if (shrink === 1) return wanted
    return { width: Math.floor(wanted.width * shrink), height: Math.floor(wanted.height * shrink) }
  })
  const width = fixed?.width ?? Math.max(...covered.map((size) => size.width))
  const height = fixed?.height ?? Math.max(...covered.map((size) => size.height))
  const pixels = new Float32Array(pictures.length * 3 * height * width)
  pictures.forEach((picture, index) => {
    const sample = pixels.subarray(index * 3 * height * width, (index + 1) * 3 * height * width)
    if (processor.square === undefined)
      writeResized(sample, picture, covered[index]!, { width, height }, processor)
    else writeSquare(sample, picture, { width, height }, processor.square, processor)
  })
  return { pixels, height, width, covered }
}

function writeResized(
  into: Float32Array,
  picture: Picture,
  size: Size,
  part: Size,
  processor: ImageProcessor,
) {
  const whole = processor.crop ? resizedSize(processor, picture) : size
  const { data } = resizePicture(picture, whole.width, whole.height, processor.resample)
  const left = Math.floor((whole.width - size.width) / 2)
  const top = Math.floor((whole.height - size.height) / 2)
  const { rescale, mean, std } = processor
  const plane = part.width * part.height
  // A byte has 256 values: each is normalised once.
  const table = (channel: 0 | 1 | 2) =>
    Float32Array.from(
      { length: 256 },
      (_, value) => (Math.fround(value * rescale) - mean[channel]) / std[channel],
    )
  const [red, green, blue] = [table(0), table(1), table(2)]
  for (let y = 0; y < size.height; y++) {
    const row = y * part.width
    let from = ((top + y) * whole.width + left) * 3
    for (let to = row; to < row + size.width; to++) {
      into[to] = red[data[from]!]!
      into[plane + to] = green[data[from + 1]!]!
      into[2 * plane + to] = blue[data[from + 2]!]!
      from += 3
    }
  }
}

function writeSquare(
  into: Float32Array,
  picture: Picture,
  whole: Size,
  pad: number,
  processor: ImageProcessor,
) {
  const { rescale, mean, std } = processor
  const plane = whole.width * whole.height
  resizeOnSquare(picture, whole, rescale, pad, (channel, y, x, value) => {
    into[channel * plane + y * whole.width + x] = (value - mean[channel]!) / std[channel]!
  })
}

/** 1 where a picture is, 0 where padding is: [N, H, W]. */
export function pixelMask({ covered, height, width }: ImageBatch): BigInt64Array {
  const mask = new BigInt64Array(covered.length * height * width)
  covered.forEach((size, index) => {
    for (let y = 0; y < size.height; y++) {
      const row = (index * height + y) * width
      mask.fill(1n, row, row + size.width)
    }
  })
  return mask
}
