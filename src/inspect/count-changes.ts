import { iou } from '../boxes/iou.js'
import type { LayerPart } from './index-part.js'

/** Boxes that overlap less are different things, as in `groundmill compare`. */
const leastIou = 0.5

export interface RowChanges {
  same: number
  moved: number
  gone: number
  come: number
}

/** Whether a threshold keeps a box of a part. */
export function isLiveAt({ boxTo, boxFrom }: LayerPart, threshold: number, at: number): boolean {
  return threshold <= boxTo[at] && (boxFrom === null || boxFrom[at] < threshold)
}

/**
 * What became of a row's boxes, counted as `groundmill compare` counts: of one span those with equal boxes belong
 * together first, then, from the largest overlap on, those that overlap by an IoU of 0.5 at least.
 */
export function countChanges(
  before: LayerPart,
  beforeThreshold: number,
  after: LayerPart,
  afterThreshold: number,
  row: number,
): RowChanges {
  const a = liveOf(before, beforeThreshold, row)
  const b = liveOf(after, afterThreshold, row)
  const pairs: { a: number; b: number; overlap: number }[] = []
  for (const one of a) {
    for (const other of b) {
      if (before.boxSpan[one] !== after.boxSpan[other]) continue
      const [x, y] = [boxAt(before, one), boxAt(after, other)]
      const isEqual = x.every((value, at) => value === y[at])
      const overlap = isEqual ? 2 : iou(x, y)
      if (overlap >= leastIou) pairs.push({ a: one, b: other, overlap })
    }
  }
  pairs.sort((one, other) => other.overlap - one.overlap)
  const [takenBefore, takenAfter] = [new Set<number>(), new Set<number>()]
  let same = 0
  for (const pair of pairs) {
    if (takenBefore.has(pair.a) || takenAfter.has(pair.b)) continue
    takenBefore.add(pair.a)
    takenAfter.add(pair.b)
    if (pair.overlap === 2) same++
  }
  const moved = takenBefore.size - same
  return { same, moved, gone: a.length - takenBefore.size, come: b.length - takenBefore.size }
}

function liveOf(part: LayerPart, threshold: number, row: number): number[] {
  const live: number[] = []
  for (let at = part.boxStart[row]; at < part.boxStart[row + 1]; at++) {
    if (isLiveAt(part, threshold, at)) live.push(at)
  }
  return live
}

function boxAt({ boxXyxy }: LayerPart, at: number): readonly [number, number, number, number] {
  const start = 4 * at
  return [boxXyxy[start], boxXyxy[start + 1], boxXyxy[start + 2], boxXyxy[start + 3]]
}
