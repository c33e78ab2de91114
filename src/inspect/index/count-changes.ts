import { type BoxList, isEqualPair, pairFinder } from '../../boxes/match-boxes.js'
import { isKept } from '../view/threshold.js'
import { GrowableArray } from './growable-array.js'
import type { LayerPart } from './index-part.js'

export interface RowPairs {
  /** Boxes of the row on each side. */
  before: number
  after: number
  /** Pairs of equal boxes, and of others. */
  kept: number
  moved: number
}

/** Boxes of two layers that may belong together, whatever the threshold is, in the order in which they are taken. */
export interface BoxPairs {
  /** Of each row where its pairs begin, and where those of equal boxes end, which come first. */
  readonly start: Uint32Array
  readonly equalEnd: Uint32Array
  /** Places among the boxes of the row. */
  readonly before: Uint16Array | Uint32Array
  readonly after: Uint16Array | Uint32Array
}

/** Of each part those of the part that it was compared with last. */
const known = new WeakMap<LayerPart, { readonly before: LayerPart; readonly pairs: BoxPairs }>()

/** The pairs of two parts of a shard, as `boxMatcher` takes them: made when they are first asked for. */
export function pairsOf(before: LayerPart, after: LayerPart): BoxPairs {
  const last = known.get(after)
  if (last?.before === before) return last.pairs
  const pairs = makePairs(before, after)
  known.set(after, { before, pairs })
  return pairs
}

function makePairs(before: LayerPart, after: LayerPart): BoxPairs {
  const find = pairFinder()
  const start = new Uint32Array(before.rows + 1)
  const equalEnd = new Uint32Array(before.rows)
  const [ones, others] = [new GrowableArray(Uint32Array), new GrowableArray(Uint32Array)]
  const [old, now] = [rowBoxes(before), rowBoxes(after)]
  let most = 0
  for (let row = 0; row < before.rows; row++) {
    const [a, b] = [old(row), now(row)]
    const pairs = find(a, b)
    let equal = 0
    for (let at = 0; at < pairs.length; at++) {
      const pair = pairs.order[at] as number
      ones.push(pairs.before[pair] as number)
      others.push(pairs.after[pair] as number)
      if (isEqualPair(pairs.overlap[pair] as number)) equal++
    }
    equalEnd[row] = (start[row] as number) + equal
    start[row + 1] = ones.length
    most = Math.max(most, a.count, b.count)
  }
  const done = (places: GrowableArray<Uint32Array>) =>
    most <= 2 ** 16 ? new Uint16Array(places.done()) : places.done()
  return { start, equalEnd, before: done(ones), after: done(others) }
}

/** The boxes of one row after the other. */
function rowBoxes({ boxStart, boxXyxy, boxSpan }: LayerPart) {
  const places: number[] = []
  return (row: number): BoxList => {
    const start = boxStart[row] as number
    const count = (boxStart[row + 1] as number) - start
    for (let at = 0; at < count; at++) places[at] = start + at
    return { xyxy: boxXyxy, phrase: boxSpan, places, count }
  }
}

/** Counts the pairs of a row's boxes that are kept at a threshold on each side. */
export type PairCounter = (
  before: LayerPart,
  beforeThreshold: number,
  after: LayerPart,
  afterThreshold: number,
  row: number,
  pairs: BoxPairs,
) => Readonly<RowPairs>

/**
 * Makes a counter that counts as `groundmill compare` does. It keeps its arrays, and its answer, from one row to the
 * next.
 */
export function pairCounter(): PairCounter {
  const [old, now] = [leftBoxes(), leftBoxes()]
  const answer: RowPairs = { before: 0, after: 0, kept: 0, moved: 0 }
  return (before, beforeThreshold, after, afterThreshold, row, pairs) => {
    answer.before = old.fill(before, beforeThreshold, row)
    answer.after = now.fill(after, afterThreshold, row)
    answer.kept = answer.moved = 0
    const ones = old.isLeft()
    const others = now.isLeft()
    const equalEnd = pairs.equalEnd[row] as number
    const end = pairs.start[row + 1] as number
    for (let at = pairs.start[row] as number; at < end; at++) {
      const one = pairs.before[at] as number
      const other = pairs.after[at] as number
      if (ones[one] === 0 || others[other] === 0) continue
      ones[one] = 0
      others[other] = 0
      if (at < equalEnd) answer.kept++
      else answer.moved++
    }
    return answer
  }
}

/** Which boxes of a row are kept and in no pair yet. */
function leftBoxes() {
  let isLeft = new Uint8Array(64)
  return {
    isLeft: () => isLeft,
    /** Begins with those that are kept. @returns how many they are */
    fill({ boxStart, boxFrom, boxTo }: LayerPart, threshold: number, row: number): number {
      const start = boxStart[row] as number
      const length = (boxStart[row + 1] as number) - start
      if (isLeft.length < length) isLeft = new Uint8Array(2 * length)
      let count = 0
      for (let at = 0; at < length; at++) {
        const from = boxFrom === null ? -1 : (boxFrom[start + at] as number)
        const isIn = isKept(from, boxTo[start + at] as number, threshold)
        isLeft[at] = isIn ? 1 : 0
        if (isIn) count++
      }
      return count
    },
  }
}
