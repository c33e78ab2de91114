import { iou } from '../../boxes/iou.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Phrase } from '../../rows/rows.js'
import { sameThing } from './box-facts.js'

/** A box with the probability that it is right. */
export interface ProbableBox {
  readonly xyxy: Xyxy
  readonly probability: number
}

/** How many facts are known of a phrase's boxes. */
export const setFactCount = 11

/** Probability from which a box is accepted. */
export const acceptedFrom = 0.5

/** The boxes of different things, each thing's most probable. */
export function thingsOf(boxes: readonly ProbableBox[]): ProbableBox[] {
  const things: ProbableBox[] = []
  for (const box of [...boxes].sort((a, b) => b.probability - a.probability))
    if (!things.some(({ xyxy }) => iou(xyxy, box.xyxy) >= sameThing)) things.push(box)
  return things
}

/**
 * What tells whether the boxes that are accepted for a phrase are all the things that it names: what is left
 * undecided on either side, and whether their number is the one that the phrase says.
 */
export function setFacts(
  boxes: readonly ProbableBox[],
  { number, count }: Pick<Phrase, 'number' | 'count'>,
): number[] {
  const things = thingsOf(boxes)
  const accepted = things.filter(({ probability }) => probability >= acceptedFrom)
  const left = things.filter(({ probability }) => probability < acceptedFrom)
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const n = accepted.length
  return [
    Math.min(3, sum(left.map(({ probability }) => probability))),
    Math.max(0, ...left.map(({ probability }) => probability)),
    Math.min(3, sum(accepted.map(({ probability }) => 1 - probability))),
    Math.min(1, ...accepted.map(({ probability }) => probability)),
    n === 0 ? 1 : 0,
    n === 1 ? 1 : 0,
    number === 'singular' && n !== 1 ? 1 : 0,
    number === 'plural' && n < 2 ? 1 : 0,
    count ? Math.min(3, Math.max(0, count - n)) : 0,
    count ? Math.min(3, Math.max(0, n - count)) : 0,
    Math.min(6, n) / 6,
  ]
}
