/**
 * The R-CNN box parametrisation (Girshick et al. 2014) with GLIP's weights: dx and dy in tenths of the
 * anchor, log width and height in fifths, dw and dh capped at log(1000 / 16).
 */
import { add, exp, minimum, mul } from '../../graph/ops/elementwise.js'
import { concat, split } from '../../graph/ops/shape.js'
import { constant, type Tensor } from '../../graph/ops/tensor.js'
import type { Anchors } from './anchors.js'

export const coderWeights = [10, 10, 5, 5] as const
export const maxLogRatio = Math.log(1000 / 16)

/** Boxes [N, A, 4] (x1 y1 x2 y2 in pixels) of deltas [N, A, 4], as graph. */
export function decodeBoxes(deltas: Tensor, anchors: Anchors): Tensor {
  const column = (value: (x1: number, y1: number, x2: number, y2: number) => number): Tensor => {
    const values = Float32Array.from({ length: anchors.count }, (_, index) => {
      const at = 4 * index
      const { boxes } = anchors
      return value(boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!)
    })
    return constant(values, [1, anchors.count, 1])
  }
  const [dx, dy, dw, dh] = split(deltas, [1, 1, 1, 1], 2)
  const width = column((x1, _y1, x2) => x2 - x1)
  const height = column((_x1, y1, _x2, y2) => y2 - y1)
  const x = add(
    mul(mul(dx, 1 / coderWeights[0]), width),
    column((x1, _y1, x2) => (x1 + x2) / 2),
  )
  const y = add(
    mul(mul(dy, 1 / coderWeights[1]), height),
    column((_x1, y1, _x2, y2) => (y1 + y2) / 2),
  )
  const halfWidth = mul(mul(exp(minimum(mul(dw, 1 / coderWeights[2]), maxLogRatio)), width), 0.5)
  const halfHeight = mul(mul(exp(minimum(mul(dh, 1 / coderWeights[3]), maxLogRatio)), height), 0.5)
  return concat(
    [add(x, mul(halfWidth, -1)), add(y, mul(halfHeight, -1)), add(x, halfWidth), add(y, halfHeight)],
    2,
  )
}
