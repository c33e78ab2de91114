import type { LayerPart } from './index-part.js'
import { lastPlace, placeCount } from './slider-places.js'

/** What is looked up of a box to count it. */
export type BoxBins = Pick<LayerPart, 'boxHead' | 'scoreBin' | 'areaBin' | 'aspectBin'>

/** Boxes in the order of the slider's places behind which they come or go, with what is looked up of them beside. */
export interface Moves extends BoxBins {
  /** Of each place where its boxes begin; one more at the end. */
  readonly start: Uint32Array
  readonly row: Uint16Array | Uint32Array
}

/** The boxes of a part that are kept at some of the slider's places and not at all of them. */
export interface BoxMoves {
  /** Those that the next place no longer keeps. */
  readonly going: Moves
  /** Those that the next place keeps first; undefined where weaker thresholds keep more everywhere. */
  readonly coming: Moves | undefined
}

const known = new WeakMap<LayerPart, BoxMoves>()

/**
 * The moves of a part, made when they are first asked for: a step of the slider reads them one after the other,
 * where the boxes of a row lie far from those of the next one that it changes.
 */
export function boxMoves(part: LayerPart): BoxMoves {
  const last = known.get(part)
  if (last) return last
  const { boxFrom, boxTo } = part
  const to = placesOf(boxTo)
  const from = boxFrom && placesOf(boxFrom)
  // Kept at no place.
  if (from) for (let box = 0; box < to.length; box++) if (from[box] === to[box]) from[box] = to[box] = -1
  const moves = { going: movesBy(part, to), coming: from ? movesBy(part, from) : undefined }
  known.set(part, moves)
  return moves
}

function placesOf(thresholds: Float32Array | Float64Array): Int8Array {
  const places = new Int8Array(thresholds.length)
  for (let box = 0; box < places.length; box++) places[box] = lastPlace(thresholds[box] as number)
  return places
}

/** A counting sort of boxes by places; those without one, and those that every place keeps, are left out. */
function movesBy(part: LayerPart, places: Int8Array): Moves {
  const { rows, boxStart } = part
  const start = new Uint32Array(placeCount + 1)
  for (let box = 0; box < places.length; box++) {
    const place = places[box] as number
    if (place >= 0 && place < placeCount) start[place + 1]!++
  }
  for (let place = 0; place < placeCount; place++) start[place + 1]! += start[place] as number
  const length = start[placeCount] as number
  const sorted = {
    row: new (rows <= 2 ** 16 ? Uint16Array : Uint32Array)(length),
    boxHead: new Int32Array(length),
    scoreBin: new Uint8Array(length),
    areaBin: new Uint8Array(length),
    aspectBin: new Uint8Array(length),
  }
  const next = start.slice()
  for (let row = 0; row < rows; row++)
    for (let box = boxStart[row] as number; box < (boxStart[row + 1] as number); box++) {
      const place = places[box] as number
      if (place < 0 || place >= placeCount) continue
      const at = next[place]!++
      sorted.row[at] = row
      sorted.boxHead[at] = part.boxHead[box] as number
      sorted.scoreBin[at] = part.scoreBin[box] as number
      sorted.areaBin[at] = part.areaBin[box] as number
      sorted.aspectBin[at] = part.aspectBin[box] as number
    }
  return { start, ...sorted }
}
