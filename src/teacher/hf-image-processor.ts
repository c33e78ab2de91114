import { roundHalfEven } from '../base/round-half-even.js'
import { UserError } from '../base/user-error.js'
import type { Picture } from '../pictures/picture.js'
import type { Resample } from '../pictures/resample-axis.js'
import { resizeOnSquare, resizePicture } from '../pictures/resize-picture.js'
import { readJson } from './hf-folder.js'

export interface Size {
  readonly width: number
  readonly height: number
}

/** What `preprocessor_config.json` says of pictures, in the words of Hugging Face. */
export interface ImageProcessor {
  /** The shorter side, while the longer one stays within bounds; or both sides. */
  readonly size: { readonly shortest: number; readonly longest: number | undefined } | Size
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

export const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const
export const clip = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const

/**
 * Reads `preprocessor_config.json`. What it leaves out is as the family's processor has it.
 *
 * @throws UserError where it asks for something that is not done here
 */
export async function readImageProcessor(folder: string, family: ImageProcessor): Promise<ImageProcessor> {
  const config = (await readJson(folder, 'preprocessor_config.json')) ?? {}
  const refuse = (key: string): never => {
    throw new UserError(
      `${folder}/preprocessor_config.json: ${key} is ${JSON.stringify(config[key])}, which groundmill does not do.`,
    )
  }
  if (config.do_center_crop === true && !family.crop) refuse('do_center_crop')
  if (config.do_resize === false) refuse('do_resize')
  if (config.resample !== undefined && config.resample !== 2 && config.resample !== 3) refuse('resample')
  const triple = (key: string, otherwise: ImageProcessor['mean']): ImageProcessor['mean'] => {
    const value = config[key] ?? otherwise
    if (!Array.isArray(value) || value.length !== 3 || !value.every(Number.isFinite)) refuse(key)
    return value as unknown as ImageProcessor['mean']
  }
  const normalise = config.do_normalize ?? family.mean.some((value) => value !== 0)
  const pad = config.pad_value ?? family.square
  const crop =
    family.crop && config.do_center_crop !== false ? (cropOf(config.crop_size) ?? family.crop) : undefined
  const size =
    sizeOf(config.size, config.max_size) ?? (config.size === undefined ? family.size : refuse('size'))
  const shorterSide = 'shortest' in size ? size.shortest : Math.min(size.width, size.height)
  if (crop && Math.max(crop.width, crop.height) > shorterSide) refuse('crop_size')
  return {
    size,
    padTo: config.do_pad === false ? undefined : ((config.pad_size as Size | null | undefined) ?? undefined),
    crop,
    resample: (config.resample as Resample | undefined) ?? family.resample,
    rescale:
      config.do_rescale === false ? 1 : ((config.rescale_factor as number | undefined) ?? family.rescale),
    mean: normalise ? triple('image_mean', family.mean) : [0, 0, 0],
    std: normalise ? triple('image_std', family.std) : [1, 1, 1],
    square: family.square === undefined || config.do_pad === false ? undefined : (pad as number),
  }
}

/** `crop_size`: the side of a square, or both sides. */
function cropOf(size: unknown): Size | undefined {
  if (typeof size === 'number') return { width: size, height: size }
  const { height, width } = (size ?? {}) as Partial<Size>
  return height && width ? { height, width } : undefined
}

/** Sizes as they are written now, and as older files have them: one number, or a pair. */
function sizeOf(size: unknown, maxSize: unknown): ImageProcessor['size'] | undefined {
  if (typeof size === 'number')
    return typeof maxSize === 'number' ? { shortest: size, longest: maxSize } : { width: size, height: size }
  if (Array.isArray(size) && size.length === 2) return { height: size[0], width: size[1] }
  if (typeof size !== 'object' || size === null) return undefined
  const { height, width, shortest_edge, longest_edge } = size as Record<string, number | undefined>
  if (height && width) return { height, width }
  return shortest_edge ? { shortest: shortest_edge, longest: longest_edge } : undefined
}

/** The size that a picture is resized to. */
export function resizedSize({ size }: ImageProcessor, { width, height }: Size): Size {
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
