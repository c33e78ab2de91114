import { isKept } from '../view/threshold.js'
import type { LayerPart } from './index-part.js'
import type { TruthPart } from './truth-part.js'

export interface RowVerdicts {
  right: number
  wrong: number
  /** Boxes of the truth that phrases ask for, those that were found and those that were not. */
  found: number
  missed: number
  unjudged: number
}

/** Which boxes are counted. */
export interface JudgedBoxes {
  /** Whether a box fits the filters, by its place. */
  readonly fits: (box: number) => boolean
  /** Of what is missed, the heads that are asked for: 1 at their numbers; null: all. */
  readonly heads: Uint8Array | null
}

/**
 * Makes a function that holds the boxes of a row that are kept at a threshold against the truth, as
 * `groundmill sweep` does (`judgeBoxes`): from the best on, each takes the nearest box of the truth that its
 * phrase has left. It keeps its arrays, and its answer, from one row to the next.
 */
export function rowJudge() {
  let places = new Uint32Array(64)
  let taken = new Uint32Array(256)
  let found = new Uint32Array(64)
  let stamp = 0
  const answer: RowVerdicts = { right: 0, wrong: 0, found: 0, missed: 0, unjudged: 0 }
  return (
    layer: LayerPart,
    truth: TruthPart,
    threshold: number,
    row: number,
    { fits, heads }: JudgedBoxes,
  ): RowVerdicts => {
    answer.right = answer.wrong = answer.found = answer.missed = answer.unjudged = 0
    stamp++
    const boxes = truth.boxes[row] as number
    const asked = truth.asked[row] as number
    if (found.length < boxes) found = new Uint32Array(2 * boxes)
    const end = layer.boxStart[row + 1] as number
    let count = 0
    for (let at = layer.boxStart[row] as number; at < end; at++) {
      const from = layer.boxFrom === null ? -1 : (layer.boxFrom[at] as number)
      if (!isKept(from, layer.boxTo[at] as number, threshold)) continue
      if (count === places.length) places = grown(places)
      places[count++] = at
    }
    bestFirst(places, count, layer.boxScore ?? layer.boxTo)
    for (let place = 0; place < count; place++) {
      const at = places[place] as number
      const pairEnd = truth.pairStart[at + 1] as number
      let best = -1
      let most = 0
      for (let pair = truth.pairStart[at] as number; pair < pairEnd; pair++) {
        const slot = truth.pair[pair] as number
        while (slot >= taken.length) taken = grown(taken)
        if (taken[slot] === stamp || (truth.overlap[pair] as number) < most) continue
        most = truth.overlap[pair] as number
        best = slot
      }
      if (best !== -1) {
        taken[best] = stamp
        found[best % boxes] = stamp
        if (fits(at)) answer.right++
      } else if (!fits(at)) continue
      else if (truth.isWrong[at] === 1) answer.wrong++
      else answer.unjudged++
    }
    const start = truth.headStart[row] as number
    for (let box = 0; box < asked; box++) {
      if (found[box] === stamp) answer.found++
      else if (heads === null || heads[truth.head[start + box] as number] === 1) answer.missed++
    }
    return answer
  }
}

/** Puts places in the order of falling scores, equal ones as they are: a row has few boxes, mostly in order. */
function bestFirst(places: Uint32Array, count: number, score: ArrayLike<number>): void {
  for (let end = 1; end < count; end++) {
    const place = places[end] as number
    const own = score[place] as number
    let at = end
    while (at > 0 && (score[places[at - 1] as number] as number) < own) {
      places[at] = places[at - 1] as number
      at--
    }
    places[at] = place
  }
}

function grown(old: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * old.length)
  larger.set(old)
  return larger
}
