import { iouAt } from './iou.js'

/** Boxes that overlap by a smaller IoU are different things. */
export const leastIou = 0.5
/** Above every IoU: of equal boxes, and of equal boxes with equal scores. */
const equalBoxes = 2
const equalScores = 3
/** More pairs than these are sorted by merging. */
const fewPairs = 64

/** Boxes of a picture, chosen from arrays of many. */
export interface BoxList {
  /** Four numbers a box: x1 y1 x2 y2. */
  readonly xyxy: ArrayLike<number>
  /** Which phrase a box is of: boxes of different ones never belong together. */
  readonly phrase: ArrayLike<number>
  /** Where they matter, boxes with equal scores belong together before others. */
  readonly score?: ArrayLike<number>
  /** The boxes' places in these arrays, of which the first `count` are the picture's. */
  readonly places: ArrayLike<number>
  readonly count: number
}

/** Pairs of boxes that belong together, the closest first. They hold until the next match. */
export interface BoxPairs {
  readonly length: number
  /** Which of the boxes of the two lists they are, from 0 to `count`. */
  readonly before: ArrayLike<number>
  readonly after: ArrayLike<number>
  /** The IoU of each pair; more than 1 where the boxes are equal. */
  readonly overlap: ArrayLike<number>
}

/** Pairs of boxes that may belong together; `order` has their places, the closest first. They hold until the next. */
export interface CandidatePairs extends BoxPairs {
  readonly order: ArrayLike<number>
}

/**
 * Makes a function that finds which boxes of two lists may belong together: those of one phrase that are equal or
 * overlap by an IoU of 0.5 at least. Of equal overlaps the pair that comes first in the lists comes first.
 */
export function pairFinder(): (before: BoxList, after: BoxList) => CandidatePairs {
  let pairs = pairArrays(64)
  return (before, after) => {
    let length = 0
    const phrases = after.phrase
    const others = after.places
    for (let one = 0; one < before.count; one++) {
      const a = before.places[one] as number
      const phrase = before.phrase[a]
      for (let other = 0; other < after.count; other++) {
        const b = others[other] as number
        if (phrase !== phrases[b]) continue
        const overlap = overlapOf(before, a, after, b)
        if (overlap < leastIou) continue
        if (length === pairs.overlap.length) pairs = grown(pairs)
        pairs.before[length] = one
        pairs.after[length] = other
        pairs.overlap[length] = overlap
        pairs.order[length] = length
        length++
      }
    }
    sortByOverlap(pairs.order, pairs.overlap, length)
    pairs.length = length
    return pairs
  }
}

/**
 * Makes a function that matches the boxes of two groundings of one picture. Of one phrase first those belong
 * together that are equal, then, from the largest overlap on, those that overlap by an IoU of 0.5 at least.
 * Each box is in one pair at most, and of equal overlaps the pair that comes first in the lists is taken.
 *
 * The function keeps its arrays from one picture to the next, since a comparison has millions of boxes.
 */
export function boxMatcher(): (before: BoxList, after: BoxList) => BoxPairs {
  const find = pairFinder()
  let matched = pairArrays(64)
  let taken = new Uint8Array(64)
  return (before, after) => {
    const pairs = find(before, after)
    matched.length = 0
    if (pairs.length === 0) return matched
    while (matched.overlap.length < pairs.length) matched = pairArrays(2 * matched.overlap.length)
    const boxes = before.count + after.count
    if (taken.length < boxes) taken = new Uint8Array(2 * boxes)
    for (let box = 0; box < boxes; box++) taken[box] = 0
    for (let at = 0; at < pairs.length; at++) {
      const pair = pairs.order[at] as number
      const one = pairs.before[pair] as number
      const other = pairs.after[pair] as number
      if (taken[one] === 1 || taken[before.count + other] === 1) continue
      taken[one] = 1
      taken[before.count + other] = 1
      matched.before[matched.length] = one
      matched.after[matched.length] = other
      matched.overlap[matched.length++] = pairs.overlap[pair] as number
    }
    return matched
  }
}

/** Whether the boxes of a pair with this overlap are equal. */
export const isEqualPair = (overlap: number): boolean => overlap >= equalBoxes

/** Whether they have equal scores besides, where scores were given. */
export const isSameScore = (overlap: number): boolean => overlap === equalScores

/** Rank of a pair: the IoU of its boxes, or more where they are equal. */
function overlapOf(before: BoxList, a: number, after: BoxList, b: number): number {
  const one = before.xyxy
  const other = after.xyxy
  const i = 4 * a
  const j = 4 * b
  const areEqual =
    one[i] === other[j] &&
    one[i + 1] === other[j + 1] &&
    one[i + 2] === other[j + 2] &&
    one[i + 3] === other[j + 3]
  if (!areEqual) return iouAt(one, i, other, j)
  return before.score && before.score[a] === after.score?.[b] ? equalScores : equalBoxes
}

/** Places of pairs by falling overlap, equal ones in their order. */
function sortByOverlap(order: Int32Array, overlap: Float64Array, length: number): void {
  if (length > fewPairs) {
    order.subarray(0, length).sort((a, b) => (overlap[b] as number) - (overlap[a] as number))
    return
  }
  for (let end = 1; end < length; end++) {
    const pair = order[end] as number
    const own = overlap[pair] as number
    let at = end
    while (at > 0 && (overlap[order[at - 1] as number] as number) < own) {
      order[at] = order[at - 1] as number
      at--
    }
    order[at] = pair
  }
}

const pairArrays = (size: number) => ({
  length: 0,
  before: new Int32Array(size),
  after: new Int32Array(size),
  overlap: new Float64Array(size),
  order: new Int32Array(size),
})

function grown(old: ReturnType<typeof pairArrays>): ReturnType<typeof pairArrays> {
  const larger = pairArrays(2 * old.overlap.length)
  larger.before.set(old.before)
  larger.after.set(old.after)
  larger.overlap.set(old.overlap)
  larger.order.set(old.order)
  return larger
}
