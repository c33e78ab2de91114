import type { LayerPart } from './index-part.js'

/** Boxes that overlap less are different things, as in `groundmill compare`. */
const leastIou = 0.5
/** More than any overlap. */
const equal = 2

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

/** What belongs together so far, in arrays that grow and are used for every row: a comparison has millions of boxes. */
const pairBefore: number[] = []
const pairAfter: number[] = []
const overlaps: number[] = []
const liveBefore: number[] = []
const liveAfter: number[] = []

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
  const countBefore = collectLive(before, beforeThreshold, row, liveBefore)
  const countAfter = collectLive(after, afterThreshold, row, liveAfter)
  let pairs = 0
  for (let one = 0; one < countBefore; one++) {
    const a = liveBefore[one]
    for (let other = 0; other < countAfter; other++) {
      const b = liveAfter[other]
      if (before.boxSpan[a] !== after.boxSpan[b]) continue
      const overlap = overlapOf(before.boxXyxy, 4 * a, after.boxXyxy, 4 * b)
      if (overlap < leastIou) continue
      pairBefore[pairs] = one
      pairAfter[pairs] = other
      overlaps[pairs++] = overlap
    }
  }
  let [same, moved] = [0, 0]
  for (;;) {
    // Of equal overlaps the first pair, as a stable sort has it.
    let best = -1
    for (let at = 0; at < pairs; at++) if (overlaps[at] > (best === -1 ? 0 : overlaps[best])) best = at
    if (best === -1) break
    if (overlaps[best] === equal) same++
    else moved++
    const [one, other] = [pairBefore[best], pairAfter[best]]
    for (let at = 0; at < pairs; at++) if (pairBefore[at] === one || pairAfter[at] === other) overlaps[at] = 0
  }
  return { same, moved, gone: countBefore - same - moved, come: countAfter - same - moved }
}

function collectLive(part: LayerPart, threshold: number, row: number, into: number[]): number {
  let count = 0
  for (let at = part.boxStart[row]; at < part.boxStart[row + 1]; at++) {
    if (isLiveAt(part, threshold, at)) into[count++] = at
  }
  return count
}

/** The IoU of two boxes, `equal` where they are. */
function overlapOf(a: Float32Array, i: number, b: Float32Array, j: number): number {
  if (a[i] === b[j] && a[i + 1] === b[j + 1] && a[i + 2] === b[j + 2] && a[i + 3] === b[j + 3]) return equal
  const width = Math.min(a[i + 2], b[j + 2]) - Math.max(a[i], b[j])
  const height = Math.min(a[i + 3], b[j + 3]) - Math.max(a[i + 1], b[j + 1])
  if (width <= 0 || height <= 0) return 0
  const shared = width * height
  const areas = (a[i + 2] - a[i]) * (a[i + 3] - a[i + 1]) + (b[j + 2] - b[j]) * (b[j + 3] - b[j + 1])
  return shared / (areas - shared)
}
