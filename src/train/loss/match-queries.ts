import { cheapestAssignment } from '../../boxes/cheapest-assignment.js'
import { boxAt, type Xyxy } from '../../boxes/xyxy.js'
import { sizesOf } from '../../graph/ops/tensor.js'
import { longs, sampleOf, type Value } from '../../graph/session.js'

/**
 * Costs as in the losses: alignment to the phrase's words, distance of the sides, and GIoU (DETR, Deformable
 * DETR).
 */
const weights = { alignment: 2, distance: 5, giou: 2 } as const

export interface Predictions {
  /** [N, Q, L], before the sigmoid. */
  readonly logits: Value
  /** [N, Q, 4], x1 y1 x2 y2 in pixels of the input. */
  readonly boxes: Value
}

export interface MatchTargets {
  /** [N, R, 4], x1 y1 x2 y2 in pixels of the input; the last row is that of no box. */
  readonly box: Value
  /**
   * [N, R, L], 1 for the tokens of the box's phrases, -1 for those that do not count for it; a row of zeros is
   * no box.
   */
  readonly phrase: Value
}

/**
 * Which query answers for which box: in each sample the matching of least cost (Carion et al. 2020).
 *
 * @param size of the input in pixels, in whose shares distances are measured
 * @param layers whose queries stand one behind another, each with a matching of its own
 * @returns [N, Q] int64: the row of a query's box, or the last row
 */
export function matchQueries(
  { logits, boxes }: Predictions,
  { box, phrase }: MatchTargets,
  size: { readonly height: number; readonly width: number },
  layers = 1,
): Value {
  const [n, all, length] = sizesOf(logits, 3)
  const queries = all / layers
  const [, rows] = sizesOf(box, 3)
  const none = rows - 1
  const assigned = new BigInt64Array(n * all).fill(BigInt(none))
  for (let sample = 0; sample < n; sample++) {
    const words = sampleOf(phrase, sample)
    const targets = sampleOf(box, sample)
    const predicted = sampleOf(boxes, sample)
    const predictedWords = sampleOf(logits, sample)
    const real: { readonly row: number; readonly tokens: readonly number[] }[] = []
    for (let row = 0; row < none; row++) {
      const own = words.subarray(row * length, (row + 1) * length)
      const tokens = [...own.keys()].filter((token) => own[token]! > 0)
      if (own.some((word) => word !== 0)) real.push({ row, tokens })
    }
    for (let layer = 0; layer < layers; layer++) {
      const first = layer * queries
      const costs = new Float64Array(real.length * queries)
      for (const [index, { row, tokens }] of real.entries()) {
        const target = boxAt(targets, row)
        for (let query = 0; query < queries; query++) {
          let alignment = 0
          for (const token of tokens)
            alignment += focalCost(predictedWords[(first + query) * length + token]!)
          costs[index * queries + query] =
            (weights.alignment * alignment) / Math.max(1, tokens.length) +
            boxCost(boxAt(predicted, first + query), target, size)
        }
      }
      if (!costs.every(Number.isFinite))
        throw new Error('a prediction is not a number any more: try a lower learning_rate')
      cheapestAssignment(costs, real.length, queries).forEach((query, index) => {
        if (query >= 0) assigned[sample * all + first + query] = BigInt(real[index]!.row)
      })
    }
  }
  return longs(assigned, [n, all])
}

/** The focal loss of a word that the box's phrase has, less that of a word that it has not. */
function focalCost(logit: number): number {
  const probability = 1 / (1 + Math.exp(-logit))
  const positive = 0.25 * (1 - probability) ** 2 * -Math.log(probability + 1e-8)
  const negative = 0.75 * probability ** 2 * -Math.log(1 - probability + 1e-8)
  return positive - negative
}

/** Distances of centre and size in shares of the input, and 1 - GIoU. */
function boxCost(
  [px1, py1, px2, py2]: Xyxy,
  [tx1, ty1, tx2, ty2]: Xyxy,
  { width, height }: { readonly height: number; readonly width: number },
): number {
  const distance =
    (Math.abs(px1 + px2 - tx1 - tx2) / 2 + Math.abs(px2 - px1 - tx2 + tx1)) / width +
    (Math.abs(py1 + py2 - ty1 - ty2) / 2 + Math.abs(py2 - py1 - ty2 + ty1)) / height
  const across = Math.max(0, Math.min(px2, tx2) - Math.max(px1, tx1))
  const down = Math.max(0, Math.min(py2, ty2) - Math.max(py1, ty1))
  const overlap = across * down
  const union = (px2 - px1) * (py2 - py1) + (tx2 - tx1) * (ty2 - ty1) - overlap
  const hull = (Math.max(px2, tx2) - Math.min(px1, tx1)) * (Math.max(py2, ty2) - Math.min(py1, ty1))
  const giou = overlap / (union + 1e-7) - (hull - union) / (hull + 1e-7)
  return weights.distance * distance + weights.giou * (1 - giou)
}
