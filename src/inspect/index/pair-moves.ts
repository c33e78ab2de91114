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
  const isChange = new Uint8Array(placeCount + 1)
  const [old, now] = [rowPlaces(before, isChange), rowPlaces(after, isChange)]
  const count = placeCounter(pairs, old, now)
  const list = moveList()
  const [last, next] = [new Int32Array(4), new Int32Array(4)]
  for (let row = 0; row < before.rows; row++) {
    isChange.fill(0)
    old.take(row)
    now.take(row)
    count.take(row)
    count.at(0, last)
    for (let place = 0; place < placeCount; place++) {
      if (isChange[place] === 0) continue
      count.at(place + 1, next)
      let kept = (next[0] as number) - (last[0] as number)
      let moved = (next[1] as number) - (last[1] as number)
      let lost = (next[2] as number) - (last[2] as number)
      let added = (next[3] as number) - (last[3] as number)
      last.set(next)
      // What is more than a byte holds comes in several.
      for (;;) {
        const [one, two, three, four] = [asByte(kept), asByte(moved), asByte(lost), asByte(added)]
        list.push(place, row, one, two, three, four)
        kept -= one
        moved -= two
        lost -= three
        added -= four
        if (kept === 0 && moved === 0 && lost === 0 && added === 0) break
      }
    }
  }
  return list.sorted(before.rows)
}

/** Counts the pairs of a row as `pairCounter` does, at one place of the slider after the other. */
function placeCounter(pairs: BoxPairs, old: RowPlaces, now: RowPlaces) {
  /** Pairs of which both boxes are kept at some place: their boxes, and from where to where. */
  let ones = new Uint32Array(256)
  let others = new Uint32Array(256)
  let from = new Int8Array(256)
  let to = new Int8Array(256)
  let [length, equal] = [0, 0]
  /** Which boxes are in a pair already: those with the number of this count. */
  let takenOnes = new Uint32Array(64)
  let takenOthers = new Uint32Array(64)
  let stamp = 0
  return {
    take(row: number) {
      const start = pairs.start[row] as number
      const equalEnd = pairs.equalEnd[row] as number
      const end = pairs.start[row + 1] as number
      if (ones.length < end - start) {
        const size = 2 * (end - start)
        ones = new Uint32Array(size)
        others = new Uint32Array(size)
        from = new Int8Array(size)
        to = new Int8Array(size)
      }
      if (takenOnes.length < old.from.length) takenOnes = new Uint32Array(old.from.length)
      if (takenOthers.length < now.from.length) takenOthers = new Uint32Array(now.from.length)
      length = equal = 0
      for (let at = start; at < end; at++) {
        const one = pairs.before[at] as number
        const other = pairs.after[at] as number
        const first = Math.max(old.from[one] as number, now.from[other] as number)
        const last = Math.min(old.to[one] as number, now.to[other] as number)
        if (first >= last) continue
        ones[length] = one
        others[length] = other
        from[length] = first
        to[length++] = last
        if (at < equalEnd) equal = length
      }
    },
    /** Writes what is kept, moved, lost and added at a place. */
    at(place: number, counts: Int32Array) {
      // Beyond what the arrays hold numbers would come again.
      if (stamp === 2 ** 32 - 1) {
        takenOnes.fill(0)
        takenOthers.fill(0)
        stamp = 0
      }
      stamp++
      let [kept, moved] = [0, 0]
      for (let at = 0; at < length; at++) {
        if ((from[at] as number) >= place || place > (to[at] as number)) continue
        const one = ones[at] as number
        const other = others[at] as number
        if (takenOnes[one] === stamp || takenOthers[other] === stamp) continue
        takenOnes[one] = takenOthers[other] = stamp
        if (at < equal) kept++
        else moved++
      }
      counts[0] = kept
      counts[1] = moved
      counts[2] = (old.kept[place] as number) - kept - moved
      counts[3] = (now.kept[place] as number) - kept - moved
    },
  }
}

const asByte = (value: number) => Math.max(-128, Math.min(127, value))

/**
 * At which places of the slider the boxes of a row are kept.
 *
 * @param isChange becomes 1 at the places behind which one of its boxes comes or goes
 */
function rowPlaces({ boxStart, boxFrom, boxTo }: LayerPart, isChange: Uint8Array) {
  const places = {
    /** Each box is kept at the places above this one, up to `to`. */
    from: new Int8Array(64),
    to: new Int8Array(64),
    /** How many are kept at each place. */
    kept: new Int32Array(placeCount + 2),
    /** Goes to a row. */
    take(row: number) {
      const start = boxStart[row] as number
      const count = (boxStart[row + 1] as number) - start
      if (places.to.length < count) {
        places.from = new Int8Array(2 * count)
        places.to = new Int8Array(2 * count)
      }
      const { from, to, kept } = places
      kept.fill(0)
      for (let box = 0; box < count; box++) {
        const first = boxFrom === null ? -1 : lastPlace(boxFrom[start + box] as number)
        const last = lastPlace(boxTo[start + box] as number)
        from[box] = first
        to[box] = last
        if (first >= last) continue
        if (first >= 0) isChange[first] = 1
        isChange[last] = 1
        kept[first + 1]!++
        kept[last + 1]!--
      }
      for (let place = 1; place <= placeCount; place++) kept[place]! += kept[place - 1] as number
    },
  }
  return places
}
type RowPlaces = ReturnType<typeof rowPlaces>

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
