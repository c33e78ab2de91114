import { iou } from '../../boxes/iou.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import { isSameNoun } from '../../words/label-matches.js'
import { sameThing, scoreLogit } from './box-facts.js'

/** A box of a picture as the network answers it. */
export interface AnsweredBox {
  /** Which phrase of the picture it was found for. */
  readonly phrase: number
  /** The head noun of the phrase. */
  readonly head: string
  readonly xyxy: Xyxy
  /** The network's logit that it is right. */
  readonly logit: number
  /** The teacher's score; undefined where none is told. */
  readonly score: number | undefined
}

/** How many facts are known of a box. */
export const besideFactCount = 4

/** Logits beyond are as good as these. */
const surest = 7

/**
 * What is known of each box of a picture once the network has answered all of them, as logits: its own answer, the
 * best one for another noun at its place (a thing has one name), the best one for its phrase elsewhere, and the
 * teacher's score, 0 where none is told: of a network that has learned little it says more.
 *
 * @returns four numbers for each box, in their order
 */
export function besideFacts(boxes: readonly AnsweredBox[]): number[][] {
  return boxes.map((box) => {
    let rival = -surest
    let elsewhere = -surest
    for (const other of boxes) {
      const isHere = iou(other.xyxy, box.xyxy) >= sameThing
      if (other.phrase === box.phrase) {
        if (!isHere) elsewhere = Math.max(elsewhere, other.logit)
      } else if (isHere && !isSameNoun(other.head, box.head)) rival = Math.max(rival, other.logit)
    }
    const answers = [box.logit, rival, elsewhere].map((value) => Math.min(surest, Math.max(-surest, value)))
    return [...answers, box.score === undefined ? 0 : scoreLogit(box.score)]
  })
}
