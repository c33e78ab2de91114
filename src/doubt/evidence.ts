import { iou } from '../boxes/iou.js'
import { nms } from '../boxes/nms.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { logit as logitOf } from '../statistics/logistic.js'
import { type DoubtedPicture, type FoundBox, type PlacedBox, sameBox, sameThing } from './doubted-picture.js'

/** How sure a model usually is of boxes that are as those of a grounding, by the head of the phrase. */
export type UsualLogit = (head: string) => number

/** The logarithm of the odds of a score; those beyond 0.002 and 0.998 are as good as these. */
export const logit = (score: number): number => logitOf(score, 0.002)

/** Logit of the best box of a list that overlaps a box by at least `low` and less than `high`. */
function support(found: readonly FoundBox[] | undefined, box: Xyxy, low = sameThing, high = 2): number {
  let best = 0
  for (const { xyxy, score } of found ?? []) {
    if (score <= best) continue
    const overlap = iou(xyxy, box)
    if (overlap >= low && overlap < high) best = score
  }
  return logit(best)
}

/** How sure a model is of the box itself: its self-confidence, in the words of confident learning. */
export const ownLogit = ({ found }: Pick<DoubtedPicture, 'found'>, { phrase, xyxy }: PlacedBox): number =>
  support(found.get(phrase), xyxy)

/**
 * What speaks for a box and against it, as numbers.
 *
 * @param boxes those of the picture's grounding, or others in their place
 * @param at which of them
 */
export function boxEvidence(
  { phrases, found }: DoubtedPicture,
  boxes: readonly PlacedBox[],
  at: number,
  usual: UsualLogit,
): number[] {
  const { phrase, xyxy } = boxes[at]!
  const own = found.get(phrase) ?? []
  const mates = boxes.filter((box, index) => index !== at && box.phrase === phrase)
  const isFree = (box: Xyxy) => mates.every((mate) => iou(mate.xyxy, box) < sameThing)
  const free = own.filter((box) => isFree(box.xyxy))
  const names = new Set(boxes.filter((box) => iou(box.xyxy, xyxy) >= sameBox).map((box) => box.phrase))
  const others = [...found].filter(([other]) => !names.has(other))
  const onBox = support(own, xyxy)
  const byOthers = Math.max(logit(0), ...others.map(([, list]) => support(list, xyxy)))
  const { fit, near } = placeOf(free, xyxy)
  const companions = [...names].filter((name) => name !== phrase)
  const byNames = companions.map((name) => support(found.get(name), xyxy))
  const elsewhere = support(free, xyxy, -1, 0.1)
  return [
    onBox,
    support(own, xyxy, 0.75),
    onBox - usual(phrases[phrase]?.head ?? ''),
    near,
    fit,
    Math.max(0, fit - 0.65),
    byOthers,
    byOthers - onBox,
    elsewhere,
    elsewhere - onBox,
    byNames.length > 0 ? byNames.reduce((sum, value) => sum + value, 0) / byNames.length : onBox,
    exchange(found, boxes, names, phrase, xyxy),
  ]
}

/** How well boxes that overlap a box agree with it on average by their scores, and the best that lies beside it. */
function placeOf(found: readonly FoundBox[], box: Xyxy): { readonly fit: number; readonly near: number } {
  let [sum, weights, near] = [0, 0, 0]
  for (const { xyxy, score } of found) {
    const overlap = iou(xyxy, box)
    if (overlap < 0.1) continue
    // The square: a box of half the score is a quarter of the answer.
    sum += score ** 2 * overlap
    weights += score ** 2
    if (overlap < sameThing) near = Math.max(near, score)
  }
  return { fit: weights > 0 ? sum / weights : 0, near: logit(near) }
}

/** By how much better the model likes it where the box's phrase and that of another thing have changed places. */
function exchange(
  found: DoubtedPicture['found'],
  boxes: readonly PlacedBox[],
  names: ReadonlySet<number>,
  phrase: number,
  xyxy: Xyxy,
): number {
  const own = support(found.get(phrase), xyxy)
  let best = -6
  for (const other of boxes) {
    if (names.has(other.phrase) || iou(other.xyxy, xyxy) >= sameThing) continue
    const theirs = found.get(other.phrase)
    const crossed = support(found.get(phrase), other.xyxy) + support(theirs, xyxy)
    best = Math.max(best, crossed - own - support(theirs, other.xyxy))
  }
  return best
}

/** A box that a phrase may miss. */
export interface Candidate extends FoundBox {
  readonly phrase: number
}

/** Boxes found for phrases that have none there, each place of a phrase once, the best first. */
export function missingCandidates(
  { found }: Pick<DoubtedPicture, 'found'>,
  boxes: readonly PlacedBox[],
): Candidate[] {
  return [...found].flatMap(([phrase, list]) => {
    const drawn = boxes.filter((box) => box.phrase === phrase)
    const free = list.filter(({ xyxy }) => drawn.every((box) => iou(box.xyxy, xyxy) < 0.4))
    return nms(free, 0.4)
      .slice(0, mostCandidates)
      .map((index): Candidate => ({ phrase, ...free[index]! }))
  })
}

const mostCandidates = 5

/** What speaks for a box that a phrase seems to miss, and against it. */
export function missingEvidence(
  { phrases, found }: DoubtedPicture,
  boxes: readonly PlacedBox[],
  { phrase, xyxy, score }: Candidate,
  usual: UsualLogit,
): number[] {
  const drawn = boxes.filter((box) => box.phrase === phrase)
  const own = logit(score)
  const there = boxes.filter((box) => box.phrase !== phrase && iou(box.xyxy, xyxy) >= sameThing)
  const taken = there.map((box) => support(found.get(box.phrase), xyxy))
  const names = new Set(there.map((box) => box.phrase))
  const free = [...found].filter(([other]) => other !== phrase && !names.has(other))
  const byFree = Math.max(logit(0), ...free.map(([, list]) => support(list, xyxy)))
  const ofDrawn = drawn.map((box) => support(found.get(phrase), box.xyxy))
  return [
    own,
    own - usual(phrases[phrase]?.head ?? ''),
    drawn.length === 0 ? 1 : 0,
    drawn.length === 0 ? 0 : own - Math.max(...ofDrawn),
    Math.max(0, ...drawn.map((box) => iou(box.xyxy, xyxy))),
    taken.length > 0 ? 1 : 0,
    taken.length > 0 ? own - Math.max(...taken) : 0,
    byFree,
    support(
      found.get(phrase)?.filter((box) => box.xyxy !== xyxy),
      xyxy,
      -1,
    ),
  ]
}
