import { iou } from '../../boxes/iou.js'
import { boxAt } from '../../boxes/xyxy.js'
import type { Anchors } from '../../model/network/anchors.js'

/** Candidates taken from each level for each box: MODEL.ATSS.TOPK of the official configuration. */
const topk = 9

export interface Targets {
  /** For each anchor, the box that it answers for, or -1. */
  readonly assigned: Int32Array
  /** For each anchor, the centerness of its place in its box: 0 to 1, 0 where there is no box. */
  readonly centerness: Float32Array
}

/**
 * Adaptive training sample selection (Zhang et al. 2020): from each level the anchors nearest to a box's
 * centre are candidates; those whose IoU reaches the mean plus the (unbiased) standard deviation of the
 * candidates', and whose centre lies inside the box, answer for it; an anchor claimed by several boxes goes
 * to the one of highest IoU, of equal ones to the first. They are compared as float32, as the official code
 * computes them.
 *
 * Centerness is sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)) of the anchor's centre.
 *
 * @param boxes [count * 4], x1 y1 x2 y2 in pixels of the network's input
 */
export function assignTargets(anchors: Anchors, boxes: Float32Array): Targets {
  const assigned = new Int32Array(anchors.count).fill(-1)
  const centerness = new Float32Array(anchors.count)
  const bestIou = new Float32Array(anchors.count)
  for (let box = 0; box < boxes.length / 4; box++) {
    const target = boxAt(boxes, box)
    const [x1, y1, x2, y2] = target
    const candidates = nearest(anchors, (x1 + x2) / 2, (y1 + y2) / 2)
    const overlaps = candidates.map((anchor) => iou(boxAt(anchors.boxes, anchor), target))
    const mean = overlaps.reduce((sum, value) => sum + value, 0) / overlaps.length
    const spread = overlaps.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    const threshold = mean + Math.sqrt(spread / Math.max(1, overlaps.length - 1))
    candidates.forEach((anchor, index) => {
      if (overlaps[index]! < threshold || Math.fround(overlaps[index]!) <= bestIou[anchor]!) return
      const [ax1, ay1, ax2, ay2] = boxAt(anchors.boxes, anchor)
      const left = (ax1 + ax2) / 2 - x1 - anchors.inset
      const right = x2 - (ax1 + ax2) / 2 - anchors.inset
      const top = (ay1 + ay2) / 2 - y1 - anchors.inset
      const bottom = y2 - (ay1 + ay2) / 2 - anchors.inset
      if (Math.min(left, right, top, bottom) <= 0.01) return
      bestIou[anchor] = overlaps[index]!
      assigned[anchor] = box
      const across = Math.min(left, right) / Math.max(left, right)
      centerness[anchor] = Math.sqrt((across * Math.min(top, bottom)) / Math.max(top, bottom))
    })
  }
  return { assigned, centerness }
}

/** From each level, the anchors whose centres are nearest to (x, y); at a tie the earlier anchor. */
function nearest(anchors: Anchors, x: number, y: number): number[] {
  const chosen: number[] = []
  for (let level = 0; level + 1 < anchors.levelStarts.length; level++) {
    const best: { anchor: number; distance: number }[] = []
    for (let anchor = anchors.levelStarts[level]!; anchor < anchors.levelStarts[level + 1]!; anchor++) {
      const at = 4 * anchor
      const dx = (anchors.boxes[at]! + anchors.boxes[at + 2]!) / 2 - x
      const dy = (anchors.boxes[at + 1]! + anchors.boxes[at + 3]!) / 2 - y
      const distance = dx * dx + dy * dy
      if (best.length === topk && distance >= best[topk - 1]!.distance) continue
      let place = best.length
      while (place > 0 && best[place - 1]!.distance > distance) place--
      best.splice(place, 0, { anchor, distance })
      if (best.length > topk) best.pop()
    }
    for (const { anchor } of best) chosen.push(anchor)
  }
  return chosen
}
