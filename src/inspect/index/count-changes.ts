import { boxMatcher, isEqualPair } from '../../boxes/match-boxes.js'
import { isKept } from '../view/threshold.js'
import type { LayerPart } from './index-part.js'

export interface RowChanges {
  readonly kept: number
  readonly moved: number
  readonly lost: number
  readonly added: number
}

/** Counts what became of the boxes of a row that are kept at a threshold on each side. */
export type ChangeCounter = (
  before: LayerPart,
  beforeThreshold: number,
  after: LayerPart,
  afterThreshold: number,
  row: number,
) => RowChanges

/** Makes a counter that counts as `groundmill compare` does. It keeps its arrays from one row to the next. */
export function changeCounter(): ChangeCounter {
  const match = boxMatcher()
  const [beforePlaces, afterPlaces]: [number[], number[]] = [[], []]
  return (before, beforeThreshold, after, afterThreshold, row) => {
    const old = keptBoxes(before, beforeThreshold, row, beforePlaces)
    const now = keptBoxes(after, afterThreshold, row, afterPlaces)
    const { length, overlap } = match(old, now)
    let kept = 0
    while (kept < length && isEqualPair(overlap[kept] as number)) kept++
    return { kept, moved: length - kept, lost: old.count - length, added: now.count - length }
  }
}

/** The boxes of a row that are kept. @param places is filled with their places */
function keptBoxes(part: LayerPart, threshold: number, row: number, places: number[]) {
  const { boxStart, boxFrom, boxTo } = part
  const end = boxStart[row + 1] as number
  let count = 0
  for (let at = boxStart[row] as number; at < end; at++) {
    if (isKept(boxFrom === null ? -1 : (boxFrom[at] as number), boxTo[at] as number, threshold))
      places[count++] = at
  }
  return { xyxy: part.boxXyxy, phrase: part.boxSpan, places, count }
}
