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

/** Matches pair after pair of an image and a category; what it needs for that is made once. */
export class PairMatcher {
  /** Detections that overlap boxes enough for the lowest threshold, best score first. */
  #contested: number[] = []
  /** Candidate c of detection `#contested[at]`, from `#starts[at]` to `#starts[at + 1]`: a box and the overlap. */
  #starts: number[] = []
  #boxes: number[] = []
  #overlaps: number[] = []

  /**
   * @param thresholds ascending
   * @param outcomes written
   */
  constructor(
    private readonly truth: Truth,
    private readonly found: BoxTable,
    private readonly thresholds: readonly number[],
    private readonly outcomes: readonly Outcomes[],
  ) {}

  /**
   * Matches the detections of one image and category to its ground truth, as COCOeval.evaluateImg does: best
   * score first, each takes the free box that it overlaps most (of equals the last); boxes that do not count
   * (ignored ones, and those outside the range of areas) only where no other will do; a crowd is never used up.
   *
   * @param truthIndices in the order of the annotations
   * @param foundIndices best score first
   */
  match(truthIndices: Int32Array, foundIndices: Int32Array): void {
    const every = (1 << this.thresholds.length) - 1
    for (const outcome of this.outcomes) {
      for (const index of foundIndices) {
        if (outside(this.found.area[index]!, outcome)) outcome.ignored[index] = every
      }
    }
    if (truthIndices.length === 0) return
    this.#measure(truthIndices, foundIndices)
    if (this.#contested.length === 0) return
    const skipped = new Uint8Array(truthIndices.length)
    const taken = new Uint8Array(truthIndices.length)
    for (const outcome of this.outcomes) {
      truthIndices.forEach((index, place) => {
        skipped[place] = this.truth.ignore[index] || outside(this.truth.area[index]!, outcome) ? 1 : 0
      })
      for (let t = 0; t < this.thresholds.length; t++) {
        taken.fill(0)
        this.#matchAt(t, truthIndices, outcome, skipped, taken)
      }
    }
  }

  /**
   * @param skipped 1 for boxes that do not count
   * @param taken 1 for boxes that are used up
   */
  #matchAt(
    t: number,
    truthIndices: Int32Array,
    { matched, ignored }: Outcomes,
    skipped: Uint8Array,
    taken: Uint8Array,
  ): void {
    const { iscrowd, idZero } = this.truth
    const minIou = Math.min(this.thresholds[t]!, 1 - 1e-10)
    for (let at = 0; at < this.#contested.length; at++) {
      let match = -1
      for (let pass = 0; pass < 2 && match < 0; pass++) {
        let best = minIou
        for (let c = this.#starts[at]!; c < this.#starts[at + 1]!; c++) {
          const place = this.#boxes[c]!
          if (skipped[place] !== pass || this.#overlaps[c]! < best) continue
          if (taken[place] && !iscrowd[truthIndices[place]!]) continue
          best = this.#overlaps[c]!
          match = place
        }
      }
      if (match < 0) continue
      taken[match] = 1
      const index = this.#contested[at]!
      if (skipped[match]) ignored[index]! |= 1 << t
      if (idZero[truthIndices[match]!]) continue
      matched[index]! |= 1 << t
      if (!skipped[match]) ignored[index]! &= ~(1 << t)
    }
  }

  /**
   * Finds the candidates: intersection over union of each detection with each box, over its own area where the
   * box is a crowd.
   */
  #measure(truthIndices: Int32Array, foundIndices: Int32Array): void {
    const { truth, found } = this
    const lowest = Math.min(this.thresholds[0]!, 1 - 1e-10)
    this.#contested.length = 0
    this.#starts.length = 0
    this.#boxes.length = 0
    this.#overlaps.length = 0
    for (const index of foundIndices) {
      const start = this.#boxes.length
      for (let place = 0; place < truthIndices.length; place++) {
        const other = truthIndices[place]!
        const shared = sharedArea(found.bbox, index, truth.bbox, other)
        if (shared === 0) continue
        const area = found.area[index]!
        const own = truth.bbox[4 * other + 2]! * truth.bbox[4 * other + 3]!
        const iou = shared / (truth.iscrowd[other] ? area : area + own - shared)
        if (iou < lowest) continue
        this.#boxes.push(place)
        this.#overlaps.push(iou)
      }
      if (this.#boxes.length === start) continue
      this.#contested.push(index)
      this.#starts.push(start)
    }
    this.#starts.push(this.#boxes.length)
  }
}

/** Limits belong to the range. */
export const outside = (area: number, { low, high }: Pick<Outcomes, 'low' | 'high'>): boolean =>
  area < low || area > high
