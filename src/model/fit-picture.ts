import { roundHalfEven } from '../base/round-half-even.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { scaleBox, scalePixelBox } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'
import { resizePicture } from '../pictures/resize-picture.js'
import type { BoxEdges, GlipConfig, ImageResize, ImageSize } from './network/config.js'

/**
 * How a picture is shown to a network with inputs of several sizes: resized, at the upper left, the rest 0.
 */
export interface Fit {
  /** Index of the size. */
  readonly input: number
  /** What the picture covers of it, in whole pixels. */
  readonly covered: ImageSize
}

/**
 * The size that a picture is resized to: the shorter side as asked for, or what keeps the longer one within
 * bounds. Rounded as the official code does it (maskrcnn_benchmark, Resize.get_size): the shorter side first
 * (ties to even, as Python rounds), the longer one from that and cut.
 */
export function resizedTo(
  { width, height }: ImageSize,
  { shortest_edge, longest_edge }: ImageResize,
): ImageSize {
  const [low, high] = [Math.min(width, height), Math.max(width, height)]
  const short =
    (high / low) * shortest_edge > longest_edge ? roundHalfEven((longest_edge * low) / high) : shortest_edge
  const edge = Math.max(1, short)
  if (low === edge) return { width, height }
  const other = Math.trunc((edge * high) / low)
  return width < height ? { width: edge, height: other } : { width: other, height: edge }
}

/**
 * The input that shows a picture at the size asked for with the least padding; where none is large enough,
 * the one that shows it largest.
 */
export function fitPicture(picture: ImageSize, resize: ImageResize, inputs: readonly ImageSize[]): Fit {
  const wanted = resizedTo(picture, resize)
  let best: (Fit & { readonly shrink: number; readonly area: number }) | undefined
  inputs.forEach(({ width, height }, input) => {
    const shrink = Math.min(1, width / wanted.width, height / wanted.height)
    const area = width * height
    if (best && (shrink < best.shrink || (shrink === best.shrink && area >= best.area))) return
    const side = (length: number) => Math.max(1, Math.floor(length * shrink + 1e-9))
    best = { input, shrink, area, covered: { width: side(wanted.width), height: side(wanted.height) } }
  })
  if (!best) throw new Error('a picture is fitted to one of no inputs')
  return { input: best.input, covered: best.covered }
}

/**
 * How the official code shows a picture: at the size asked for, padded to the next multiples of `step`
 * (DATALOADER.SIZE_DIVISIBILITY).
 */
export function fitExactly(
  picture: ImageSize,
  resize: ImageResize,
  step: number,
): { readonly size: ImageSize; readonly covered: ImageSize } {
  const covered = resizedTo(picture, resize)
  const padded = (length: number) => Math.ceil(length / step) * step
  return { size: { height: padded(covered.height), width: padded(covered.width) }, covered }
}

/**
 * Writes a picture into one sample of an input [N, H, W, 3] of zeros, resized as Pillow does it, normalised.
 */
export function writeFitted(
  into: Float32Array,
  sample: number,
  picture: Picture,
  covered: ImageSize,
  input: ImageSize,
  { image_mean, image_std, image_channels }: GlipConfig,
): void {
  const { data } = resizePicture(picture, covered.width, covered.height, 2)
  const colours = image_channels === 'bgr' ? [2, 1, 0] : [0, 1, 2]
  colours.forEach((colour, channel) => {
    // A byte has 256 values: each is normalised once.
    const [mean, std] = [image_mean[colour]!, image_std[colour]!]
    const table = Float32Array.from({ length: 256 }, (_, value) => (value / 255 - mean) / std)
    let from = colour
    for (let y = 0; y < covered.height; y++) {
      let to = (sample * input.height + y) * input.width * 3 + channel
      for (let x = 0; x < covered.width; x++) {
        into[to] = table[data[from]!]!
        to += 3
        from += 3
      }
    }
  })
}

/**
 * A box of the input, in pixels of the picture. The two sides were rounded, each to its own scale.
 *
 * @param edges what the network's boxes are: see `BoxEdges`
 */
export function toPicture(box: Xyxy, covered: ImageSize, picture: ImageSize, edges: BoxEdges): Xyxy {
  const scale = edges === 'pixel_centres' ? scalePixelBox : scaleBox
  return scale(box, picture.width / covered.width, picture.height / covered.height)
}
