/** The unified loss: four named terms, each a scalar tensor. */
import { logSoftmax, sigmoid, softplus } from '../../graph/ops/activation.js'
import { reduceSum } from '../../graph/ops/broadcast.js'
import { abs, add, div, log, maximum, minimum, mul, square, sub } from '../../graph/ops/elementwise.js'
import { matmul, swapLast } from '../../graph/ops/matmul.js'
import { logSumExp } from '../../graph/ops/reduce.js'
import { reshape } from '../../graph/ops/reshape.js'
import { concat, split } from '../../graph/ops/shape.js'
import { constant, sizesOf, type Tensor } from '../../graph/ops/tensor.js'
import type { ImageSize } from '../../model/network/config.js'
import type { ContrastiveOutputs } from '../../model/network/glip.js'

/** Added to scores that must not count; far below any logit, and finite so that no gradient becomes NaN. */
const minusInfinity = -10_000
/** Keeps logarithms of weights finite. */
const leastWeight = 1e-6

/**
 * What a loss is divided by: the sum of `terms` over a whole batch. They follow from the targets alone, so that a part
 * of a batch can be given those of the whole.
 */
export type Total = (name: string, terms: Tensor) => Tensor

/** Of a batch that is computed at once. */
export const totalOf: Total = (_, terms) => reduceSum(terms)

/**
 * Sigmoid focal loss (Lin et al. 2017) of region-word alignment, alpha 0.25 and gamma 2, summed over places
 * and words and divided by the number of positive anchors.
 *
 * @param logits [N, A, L]
 * @param target [N, A, L], 1 where the anchor's phrase has the word
 * @param words [N, A, L] or [N, 1, L], how much a word counts at a place, 0 to 1
 * @param positives scalar, at least 1
 */
export function alignmentFocalLoss(logits: Tensor, target: Tensor, words: Tensor, positives: Tensor): Tensor {
  const probability = sigmoid(logits)
  const wrong = add(mul(probability, sub(1, mul(target, 2))), target)
  const alpha = sub(0.75, mul(target, 0.5))
  const crossEntropy = sub(softplus(logits), mul(logits, target))
  const loss = mul(mul(alpha, square(wrong)), crossEntropy)
  return div(reduceSum(mul(loss, words)), positives)
}

/**
 * Boxes [N, A, 4] made smaller by `inset` pixels on each side; a side that would become negative is 0, as in
 * the official loss.
 */
export function insetBoxes(boxes: Tensor, inset: number): Tensor {
  if (inset === 0) return boxes
  const [low, high] = split(boxes, [2, 2], 2)
  const first = add(low, inset)
  return concat([first, maximum(first, sub(high, inset))], 2)
}

/**
 * 1 - GIoU (Rezatofighi et al. 2019), weighted by the target's centerness and divided by the weights' sum.
 *
 * @param predicted [N, A, 4], x1 y1 x2 y2
 * @param target [N, A, 4]
 * @param weight [N, A], 0 for anchors without a box
 */
export function giouLoss(predicted: Tensor, target: Tensor, weight: Tensor, total = totalOf): Tensor {
  const [px1, py1, px2, py2] = split(predicted, [1, 1, 1, 1], 2)
  const [tx1, ty1, tx2, ty2] = split(target, [1, 1, 1, 1], 2)
  const overlapWidth = maximum(sub(minimum(px2, tx2), maximum(px1, tx1)), 0)
  const overlapHeight = maximum(sub(minimum(py2, ty2), maximum(py1, ty1)), 0)
  const overlap = mul(overlapWidth, overlapHeight)
  const areas = add(mul(sub(px2, px1), sub(py2, py1)), mul(sub(tx2, tx1), sub(ty2, ty1)))
  const union = sub(areas, overlap)
  const hull = mul(sub(maximum(px2, tx2), minimum(px1, tx1)), sub(maximum(py2, ty2), minimum(py1, ty1)))
  // A box of no size has an empty hull with an empty target; a small constant keeps both quotients finite.
  const iou = div(overlap, add(union, 1e-7))
  const giou = sub(iou, div(sub(hull, union), add(hull, 1e-7)))
  const [n, anchors] = sizesOf(weight, 2)
  const loss = reduceSum(mul(reshape(sub(1, giou), [n, anchors]), weight))
  return div(loss, maximum(total('giou', weight), 1e-6))
}

/**
 * Distance of centres and sizes in shares of the input (Carion et al. 2020), summed over the four and divided
 * by the weights' sum.
 *
 * @param predicted [N, Q, 4], x1 y1 x2 y2 in pixels of the input
 * @param target [N, Q, 4]
 * @param weight [N, Q], 0 for queries without a box
 */
export function distanceLoss(
  predicted: Tensor,
  target: Tensor,
  weight: Tensor,
  { height, width }: ImageSize,
): Tensor {
  const shares = constant([1 / width, 1 / height], [1, 1, 2])
  const [low, high] = split(sub(predicted, target), [2, 2], 2)
  const centre = abs(mul(add(low, high), 0.5))
  const size = abs(sub(high, low))
  const [n, queries] = sizesOf(weight, 2)
  const each = reshape(reduceSum(mul(add(centre, size), shares), [2]), [n, queries])
  return div(reduceSum(mul(each, weight)), maximum(reduceSum(weight), 1))
}

/**
 * Binary cross-entropy of centerness at positive anchors, divided by their number.
 *
 * @param logits [N, A]
 * @param target [N, A], 0 to 1
 * @param positive [N, A], 0 or 1
 */
export function centernessLoss(logits: Tensor, target: Tensor, positive: Tensor, positives: Tensor): Tensor {
  return div(reduceSum(mul(sub(softplus(logits), mul(logits, target)), positive)), positives)
}

/**
 * Soft token prediction (MDETR, Kamath et al. 2021): at positive anchors the softmax over the words of the
 * prompt should be even over the phrase's words.
 *
 * @param logits [N, A, L]
 * @param target [N, A, L] of 0 and 1
 * @param words [N, A, L] or [N, 1, L], 1 for the words that count at a place
 * @param weight [N, A, L], how much a word counts at a place, 0 to 1; 1 where it is not given
 */
export function groundingLoss(
  logits: Tensor,
  target: Tensor,
  words: Tensor,
  positives: Tensor,
  weight?: Tensor,
): Tensor {
  const share = div(weighed(target, weight), maximum(reduceSum(target, [2], true), 1))
  const scores = add(logits, wordBias(words))
  return div(mul(reduceSum(mul(share, logSoftmax(scores))), -1), positives)
}

/**
 * Contrastive alignment (MDETR) both ways between unit embeddings of regions and words: each positive region
 * should be nearer to its words than to the prompt's others, each word nearer to its regions than to all
 * other places.
 *
 * @param target [N, A, L] of 0 and 1
 * @param words [N, A, L] or [N, 1, L], 1 for the words that count at a place
 * @param weight [N, A, L], how much a pair counts, 0 to 1; 1 where it is not given
 */
export function contrastiveLoss(
  { regions, tokens }: ContrastiveOutputs,
  target: Tensor,
  words: Tensor,
  temperature: number,
  weight?: Tensor,
  total = totalOf,
): Tensor {
  const similarity = mul(matmul(regions, swapLast(tokens)), 1 / temperature)
  const known = add(similarity, wordBias(words))
  // Whoever is pushed away from a place that is in doubt is pushed as much the less.
  const counted = weight ? add(known, log(maximum(weight, leastWeight))) : known
  const totals = (name: string) => (counts: Tensor) => total(`contrastive.${name}`, counts)
  const toWords = contrast(counted, similarity, target, 2, weight, totals('regions'))
  const toRegions = contrast(counted, similarity, target, 1, weight, totals('words'))
  return mul(add(toWords, toRegions), 0.5)
}

/**
 * Mean over the rows with a positive of logSumExp(all) - mean(positives), along one axis. Positives may be
 * weighed: then the mean is, and a row counts as much as its positives do on average.
 */
function contrast(
  all: Tensor,
  similarity: Tensor,
  target: Tensor,
  axis: number,
  weight: Tensor | undefined,
  total: (counts: Tensor) => Tensor,
): Tensor {
  const count = reduceSum(target, [axis])
  const own = weighed(target, weight)
  const sum = weight ? reduceSum(own, [axis]) : count
  const counts = weight ? div(sum, maximum(count, 1)) : minimum(count, 1)
  const mean = div(reduceSum(mul(similarity, own), [axis]), maximum(sum, weight ? 1e-6 : 1))
  const gap = mul(sub(logSumExp(all, axis), mean), counts)
  return div(reduceSum(gap), maximum(total(counts), 1))
}

const weighed = (target: Tensor, weight: Tensor | undefined) => (weight ? mul(target, weight) : target)

const wordBias = (words: Tensor) => mul(sub(1, words), minusInfinity)
