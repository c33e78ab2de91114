import { iou } from '../../boxes/iou.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { PhraseDisagreement } from '../../rows/rows.js'
import type { Candidate } from './rule.js'

/** Boxes of several sources on one thing. */
export interface AgreedThing {
  /** The best of them. */
  readonly best: Candidate
  /** For each source its best box on the thing; undefined where it found none. */
  readonly boxes: readonly (Candidate | undefined)[]
}

/**
 * Puts the boxes of a phrase together that are on one thing: from the best on, each that is left takes those that
 * overlap it by at least `least`, whoever found them.
 *
 * @param candidates of one phrase, best first
 * @param sources how many stages there are
 */
export function agreedThings(
  candidates: readonly Candidate[],
  sources: number,
  least: number,
): AgreedThing[] {
  const things: AgreedThing[] = []
  let left = candidates
  for (let [best] = left; best; [best] = left) {
    const top = best
    const own = left.filter((box) => box === top || iou(box.xyxy, top.xyxy) >= least)
    const boxes = Array.from({ length: sources }, (_, source) =>
      own.find((box) => (box.source ?? 0) === source),
    )
    things.push({ best: top, boxes })
    left = left.filter((box) => !own.includes(box))
  }
  return things
}

/** How sure the sources are of a thing together: the mean of their scores, 0 of one that found none. */
export const agreedScore = ({ boxes }: AgreedThing): number =>
  boxes.reduce((sum, box) => sum + (box?.score ?? 0), 0) / boxes.length

/**
 * The same with each score times its share of the best that its source gave a thing of the phrase: where a source is
 * surer of something else, it speaks less for this one.
 */
export function relativeScore({ boxes }: AgreedThing, things: readonly AgreedThing[]): number {
  const sum = boxes.reduce((total, box, source) => {
    if (!box) return total
    const best = Math.max(...things.map((thing) => thing.boxes[source]?.score ?? 0))
    return total + (best > 0 ? box.score ** 2 / best : 0)
  }, 0)
  return sum / boxes.length
}

/** Sides of the boxes weighed by their scores (weighted box fusion; Solovyev, Wang and Gabruseva 2021). */
export function fusedBox({ boxes }: AgreedThing): Xyxy {
  const found = boxes.filter((box) => box !== undefined)
  const total = found.reduce((sum, { score }) => sum + score, 0)
  const side = (at: 0 | 1 | 2 | 3) =>
    found.reduce((sum, { xyxy, score }) => sum + xyxy[at] * (total > 0 ? score / total : 1 / found.length), 0)
  return [side(0), side(1), side(2), side(3)]
}

/**
 * How far sources disagree on a phrase, 0 to 1: for each thing by how much its best score is above the mean of all,
 * in shares of the most that could be; things that are surer weigh more.
 */
export function disagreementOf(things: readonly AgreedThing[], phrase: number): PhraseDisagreement {
  let apart = 0
  let total = 0
  for (const thing of things) {
    const { best, boxes } = thing
    apart += ((best.score - agreedScore(thing)) * boxes.length) / Math.max(1, boxes.length - 1)
    total += best.score
  }
  return { phrase, value: total > 0 ? Math.min(1, Math.max(0, apart / total)) : 0 }
}
