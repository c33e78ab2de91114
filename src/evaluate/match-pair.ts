import { type BoxTable, sharedArea } from './box-table.js'

/** What became of each detection in one range of areas: bit t of an entry speaks of IoU threshold t. */
export interface Outcomes {
  readonly low: number
  readonly high: number
  readonly matched: Uint16Array
  /** The detection counts neither way. */
  readonly ignored: Uint16Array
}

export interface Truth extends BoxTable {
  /** 1 for a box that any number of detections match, by the share of their own area that lies in it. */
  readonly iscrowd: Uint8Array
  /**
   * 1 for a box that need not be found; a detection that matches it counts neither way. Crowds are among
   * them.
   */
  readonly ignore: Uint8Array
  /** 1 for a box that is used up by a match, which counts as none all the same (`GroundTruth.idZero`). */
  readonly idZero: Uint8Array
}

/** Ground truth that one detection overlaps enough for the lowest threshold. */
interface Candidate {
  readonly truth: number
  readonly iou: number
}

/**
 * Matches the detections of one image and category to its ground truth, as COCOeval.evaluateImg does: best
 * score first, each takes the free box that it overlaps most (of equals the last); boxes that do not count
 * (ignored ones, and those outside the range of areas) only where no other will do; a crowd is never used up.
 * Writes into `outcomes`.
 *
 * @param truthIndices in the order of the annotations
 * @param foundIndices best score first
 * @param thresholds ascending
 */
export function matchPair(
  truth: Truth,
  truthIndices: Int32Array,
  found: BoxTable,
  foundIndices: Int32Array,
  thresholds: readonly number[],
  outcomes: readonly Outcomes[],
): void {
  const every = (1 << thresholds.length) - 1
  for (const outcome of outcomes) {
    for (const index of foundIndices) {
      if (outside(found.area[index]!, outcome)) outcome.ignored[index] = every
    }
  }
  if (truthIndices.length === 0) return
  const lowest = Math.min(thresholds[0]!, 1 - 1e-10)
  const candidates: Candidate[][] = []
  let contested = false
  for (const index of foundIndices) {
    const list = overlapping(truth, truthIndices, found, index, lowest)
    candidates.push(list)
    contested ||= list.length > 0
  }
  if (!contested) return
  const skipped = new Uint8Array(truthIndices.length)
  const taken = new Uint8Array(truthIndices.length)
  for (const outcome of outcomes) {
    const { matched, ignored } = outcome
    truthIndices.forEach((index, place) => {
      skipped[place] = truth.ignore[index] || outside(truth.area[index]!, outcome) ? 1 : 0
    })
    for (let t = 0; t < thresholds.length; t++) {
      taken.fill(0)
      const minIou = Math.min(thresholds[t]!, 1 - 1e-10)
      for (let at = 0; at < foundIndices.length; at++) {
        let match = -1
        for (let pass = 0; pass < 2 && match < 0; pass++) {
          let best = minIou
          for (const { truth: place, iou } of candidates[at]!) {
            if (skipped[place] !== pass || iou < best) continue
            if (taken[place] && !truth.iscrowd[truthIndices[place]!]) continue
            best = iou
            match = place
          }
        }
        if (match < 0) continue
        taken[match] = 1
        const index = foundIndices[at]!
        if (skipped[match]) ignored[index]! |= 1 << t
        if (truth.idZero[truthIndices[match]!]) continue
        matched[index]! |= 1 << t
        if (!skipped[match]) ignored[index]! &= ~(1 << t)
      }
    }
  }
}

/** Limits belong to the range. */
export const outside = (area: number, { low, high }: Pick<Outcomes, 'low' | 'high'>): boolean =>
  area < low || area > high

/** Intersection over union of a detection with each box; over its own area where the box is a crowd. */
function overlapping(
  truth: Truth,
  truthIndices: Int32Array,
  { bbox, area }: BoxTable,
  index: number,
  minIou: number,
): Candidate[] {
  const candidates: Candidate[] = []
  for (let place = 0; place < truthIndices.length; place++) {
    const other = truthIndices[place]!
    const shared = sharedArea(bbox, index, truth.bbox, other)
    if (shared === 0) continue
    const own = truth.bbox[4 * other + 2]! * truth.bbox[4 * other + 3]!
    const iou = shared / (truth.iscrowd[other] ? area[index]! : area[index]! + own - shared)
    if (iou >= minIou) candidates.push({ truth: place, iou })
  }
  return candidates
}
