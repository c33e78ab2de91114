import type { BoxPairs } from './count-changes.js'
import type { LayerPart } from './index-part.js'
import { lastPlace, placeCount } from './slider-places.js'

/** How pairs change in rows from one place of the slider to the next, while it moves both layers. */
export interface PairMoves {
  /** Of each place where its rows begin; one more at the end. */
  readonly start: Uint32Array
  /** Every row in which a box of either layer comes or goes, some of them more than once. */
  readonly row: Uint16Array | Uint32Array
  /** To be added as the slider rises: pairs of equal boxes, of others, and boxes of one layer alone. */
  readonly kept: Int8Array
  readonly moved: Int8Array
  readonly lost: Int8Array
  readonly added: Int8Array
}

const known = new WeakMap<BoxPairs, PairMoves>()

/** The moves of two parts' pairs, made when they are first asked for. @param pairs those of the parts */
export function pairMoves(before: LayerPart, after: LayerPart, pairs: BoxPairs): PairMoves {
  const last = known.get(pairs)
  if (last) return last
  const moves = makeMoves(before, after, pairs)
  known.set(pairs, moves)
  return moves
}

function makeMoves(before: LayerPart, after: LayerPart, pairs: BoxPairs): PairMoves {
  const [old, now] = [rowPlaces(before), rowPlaces(after)]
  const list = moveList()
  const isChange = new Uint8Array(placeCount + 1)
  const [last, next] = [pairCounts(), pairCounts()]
  const look = (counts: PairCounts, row: number, place: number) => {
    const ones = old.left(place)
    const others = now.left(place)
    const equalEnd = pairs.equalEnd[row] as number
    const end = pairs.start[row + 1] as number
    counts.kept = counts.moved = 0
    for (let at = pairs.start[row] as number; at < end; at++) {
      const one = pairs.before[at] as number
      const other = pairs.after[at] as number
      if (ones[one] === 0 || others[other] === 0) continue
      ones[one] = others[other] = 0
      if (at < equalEnd) counts.kept++
      else counts.moved++
    }
    counts.lost = old.count() - counts.kept - counts.moved
    counts.added = now.count() - counts.kept - counts.moved
  }
  for (let row = 0; row < before.rows; row++) {
    isChange.fill(0)
    old.take(row, isChange)
    now.take(row, isChange)
    look(last, row, 0)
    for (let place = 0; place < placeCount; place++) {
      if (isChange[place] === 0) continue
      look(next, row, place + 1)
      let [kept, moved] = [next.kept - last.kept, next.moved - last.moved]
      let [lost, added] = [next.lost - last.lost, next.added - last.added]
      // What is more than a byte holds comes in several.
      for (;;) {
        const part = [asByte(kept), asByte(moved), asByte(lost), asByte(added)] as const
        list.push(place, row, ...part)
        kept -= part[0]
        moved -= part[1]
        lost -= part[2]
        added -= part[3]
        if (kept === 0 && moved === 0 && lost === 0 && added === 0) break
      }
      last.kept = next.kept
      last.moved = next.moved
      last.lost = next.lost
      last.added = next.added
    }
  }
  return list.sorted(before.rows)
}

const pairCounts = () => ({ kept: 0, moved: 0, lost: 0, added: 0 })
type PairCounts = ReturnType<typeof pairCounts>

const asByte = (value: number) => Math.max(-128, Math.min(127, value))

/** At which places of the slider the boxes of a row are kept. */
function rowPlaces({ boxStart, boxFrom, boxTo }: LayerPart) {
  let from = new Int8Array(64)
  let to = new Int8Array(64)
  let isLeft = new Uint8Array(64)
  let [boxes, kept] = [0, 0]
  return {
    /** Goes to a row, and notes 1 at the places behind which one of its boxes comes or goes. */
    take(row: number, isChange: Uint8Array) {
      const start = boxStart[row] as number
      boxes = (boxStart[row + 1] as number) - start
      if (to.length < boxes) {
        from = new Int8Array(2 * boxes)
        to = new Int8Array(2 * boxes)
        isLeft = new Uint8Array(2 * boxes)
      }
      for (let box = 0; box < boxes; box++) {
        const first = boxFrom === null ? -1 : lastPlace(boxFrom[start + box] as number)
        const last = lastPlace(boxTo[start + box] as number)
        from[box] = first
        to[box] = last
        if (first === last) continue
        if (first >= 0) isChange[first] = 1
        if (last >= 0) isChange[last] = 1
      }
    },
    /** 1 for each box that is kept at a place, to be written over. */
    left(place: number): Uint8Array {
      kept = 0
      for (let box = 0; box < boxes; box++) {
        const isIn = (from[box] as number) < place && place <= (to[box] as number) ? 1 : 0
        isLeft[box] = isIn
        kept += isIn
      }
      return isLeft
    },
    /** How many were kept there. */
    count: () => kept,
  }
}

/** Collects moves, row after row, in arrays of their own, which are faster than arrays of any type. */
function moveList() {
  let size = 2 ** 16
  let length = 0
  let place = new Uint8Array(size)
  let row = new Uint32Array(size)
  let delta = new Int8Array(4 * size)
  const grow = () => {
    size *= 2
    const [oldPlace, oldRow, oldDelta] = [place, row, delta]
    place = new Uint8Array(size)
    row = new Uint32Array(size)
    delta = new Int8Array(4 * size)
    place.set(oldPlace)
    row.set(oldRow)
    delta.set(oldDelta)
  }
  return {
    push(at: number, of: number, kept: number, moved: number, lost: number, added: number) {
      if (length === size) grow()
      place[length] = at
      row[length] = of
      delta[4 * length] = kept
      delta[4 * length + 1] = moved
      delta[4 * length + 2] = lost
      delta[4 * length + 3] = added
      length++
    },
    /** A counting sort by places. @param rows of the part */
    sorted(rows: number): PairMoves {
      const start = new Uint32Array(placeCount + 1)
      for (let at = 0; at < length; at++) start[(place[at] as number) + 1]!++
      for (let to = 0; to < placeCount; to++) start[to + 1]! += start[to] as number
      const sorted = {
        row: new (rows <= 2 ** 16 ? Uint16Array : Uint32Array)(length),
        kept: new Int8Array(length),
        moved: new Int8Array(length),
        lost: new Int8Array(length),
        added: new Int8Array(length),
      }
      const next = start.slice()
      for (let at = 0; at < length; at++) {
        const to = next[place[at] as number]!++
        sorted.row[to] = row[at] as number
        sorted.kept[to] = delta[4 * at] as number
        sorted.moved[to] = delta[4 * at + 1] as number
        sorted.lost[to] = delta[4 * at + 2] as number
        sorted.added[to] = delta[4 * at + 3] as number
      }
      return { start, ...sorted }
    },
  }
}
