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
 * @returns indices of the kept boxes, highest score first
 */
export function nms(boxes: readonly Scored[], threshold: number): number[] {
  const order = boxes.map((_, index) => index).sort((a, b) => boxes[b].score - boxes[a].score || a - b)
  const kept: number[] = []
  for (const index of order) {
    if (kept.every((other) => iou(boxes[other].xyxy, boxes[index].xyxy) <= threshold)) kept.push(index)
  }
  return kept
}
