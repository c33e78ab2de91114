import { type GlipConfig, type ImageSize, levelStrides, squareSize } from './config.js'

export interface Anchors {
  /** How many. */
  readonly count: number
  /** [count * 4], x1 y1 x2 y2 in pixels of the network's input. */
  readonly boxes: Float32Array
  /** First anchor of each level, and `count` at the end. */
  readonly levelStarts: readonly number[]
  /** Pixels that training measures boxes inside of their edges: 0, or 0.5 for `box_edges: pixel_centres`. */
  readonly inset: number
}

/**
 * One square anchor at the centre of each place of each level, `anchor_scale` strides wide; finest level
 * first, then row by row, as the network's rows. A level has one place for each stride begun.
 *
 * The official code writes the same anchors inclusive of their last pixel: x2 and y2 one less, and a width of
 * x2 - x1 + 1. Boxes decoded from either, in edges, are the same.
 */
export function anchorsOf(config: GlipConfig, { height, width }: ImageSize = squareSize(config)): Anchors {
  const { head } = config
  if (!('anchor_scale' in head)) throw new Error(`a network of preset ${config.preset} has no anchors`)
  const boxes: number[] = []
  const levelStarts = [0]
  for (const stride of levelStrides(config)) {
    const half = (head.anchor_scale * stride) / 2
    for (let row = 0; row < Math.ceil(height / stride); row++) {
      for (let column = 0; column < Math.ceil(width / stride); column++) {
        const x = (column + 0.5) * stride
        const y = (row + 0.5) * stride
        boxes.push(x - half, y - half, x + half, y + half)
      }
    }
    levelStarts.push(boxes.length / 4)
  }
  const inset = head.box_edges === 'pixel_centres' ? 0.5 : 0
  return { count: boxes.length / 4, boxes: Float32Array.from(boxes), levelStarts, inset }
}
