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

/** Pairs of a row, in arrays that are used for every row: a comparison has millions of boxes. */
let pairBefore = new Int32Array(1024)
let pairAfter = new Int32Array(1024)
let overlaps = new Float64Array(1024)
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
  const { boxSpan: spansBefore, boxXyxy: placesBefore } = before
  const { boxSpan: spansAfter, boxXyxy: placesAfter } = after
  let pairs = 0
  for (let one = 0; one < countBefore; one++) {
    const a = liveBefore[one]
    const span = spansBefore[a]
    for (let other = 0; other < countAfter; other++) {
      const b = liveAfter[other]
      if (span !== spansAfter[b]) continue
      const overlap = overlapOf(placesBefore, 4 * a, placesAfter, 4 * b)
      if (overlap < leastIou) continue
      if (pairs === overlaps.length) growPairs()
      pairBefore[pairs] = one
      pairAfter[pairs] = other
      overlaps[pairs++] = overlap
    }
  }
  let [same, moved] = [0, 0]
  for (;;) {
    // Of equal overlaps the first pair, as a stable sort has it.
    let [best, most] = [-1, 0]
    for (let at = 0; at < pairs; at++) {
      if (overlaps[at] <= most) continue
      best = at
      most = overlaps[at]
    }
    if (best === -1) break
    if (most === equal) same++
    else moved++
    const [one, other] = [pairBefore[best], pairAfter[best]]
    for (let at = 0; at < pairs; at++) if (pairBefore[at] === one || pairAfter[at] === other) overlaps[at] = 0
  }
  return { same, moved, gone: countBefore - same - moved, come: countAfter - same - moved }
}

function collectLive(part: LayerPart, threshold: number, row: number, into: number[]): number {
  const { boxStart, boxTo, boxFrom } = part
  const end = boxStart[row + 1]
  let count = 0
  for (let at = boxStart[row]; at < end; at++) {
    if (threshold <= boxTo[at] && (boxFrom === null || boxFrom[at] < threshold)) into[count++] = at
  }
  return count
}

function growPairs(): void {
  const grown = <A extends Int32Array | Float64Array>(old: A, larger: A): A => {
    larger.set(old)
    return larger
  }
  const length = 2 * overlaps.length
  pairBefore = grown(pairBefore, new Int32Array(length))
  pairAfter = grown(pairAfter, new Int32Array(length))
  overlaps = grown(overlaps, new Float64Array(length))
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
