import { iou } from './iou.js'
import type { Xyxy } from './xyxy.js'

interface Scored {
  readonly xyxy: Xyxy
  readonly score: number
}

/**
 * Greedy non-maximum suppression: from the highest score down, a box is kept unless it overlaps a kept one by
 * more than `threshold`. Equal scores keep their order.
 *
 * @param most how many are wanted, the best ones
 * @returns indices of the kept boxes, highest score first
 */
export function nms(boxes: readonly Scored[], threshold: number, most = Number.POSITIVE_INFINITY): number[] {
  // The sort is stable.
  const ranked = [...boxes.entries()].sort(([, a], [, b]) => b.score - a.score)
  const kept: (readonly [index: number, xyxy: Xyxy])[] = []
  for (const [index, { xyxy }] of ranked) {
    if (kept.length >= most) break
    if (kept.every(([, other]) => iou(other, xyxy) <= threshold)) kept.push([index, xyxy])
  }
  return kept.map(([index]) => index)
}
