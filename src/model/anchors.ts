import { type GlipConfig, levelStrides } from './config.js'

export interface Anchors {
  /** How many. */
  readonly count: number
  /** [count * 4], x1 y1 x2 y2 in pixels of the network's input. */
  readonly boxes: Float32Array
  /** First anchor of each level, and `count` at the end. */
  readonly levelStarts: readonly number[]
}

/**
 * One square anchor at the centre of each place of each level, `anchor_scale` strides wide; finest level first,
 * then row by row, as the network's rows.
 */
export function anchorsOf(config: GlipConfig): Anchors {
  const boxes: number[] = []
  const levelStarts = [0]
  for (const stride of levelStrides(config)) {
    const places = config.image_size / stride
    const half = (config.head.anchor_scale * stride) / 2
    for (let row = 0; row < places; row++) {
      for (let column = 0; column < places; column++) {
        const x = (column + 0.5) * stride
        const y = (row + 0.5) * stride
        boxes.push(x - half, y - half, x + half, y + half)
      }
    }
    levelStarts.push(boxes.length / 4)
  }
  return { count: boxes.length / 4, boxes: Float32Array.from(boxes), levelStarts }
}
