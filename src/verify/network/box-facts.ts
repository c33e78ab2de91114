import { iou } from '../../boxes/iou.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Phrase } from '../../rows/rows.js'
import { logit } from '../../statistics/logistic.js'
import type { AskedBox, Question } from '../judge/judge.js'

/** Numbers of a box that `writeFacts` writes. */
const placeFacts = 10
const wordFacts = 5
const scoresSaid = 7
export const factCount = placeFacts + wordFacts + scoresSaid

/** The logit of a teacher's score; those nearer to 0 or 1 than 0.001 are as good as that. */
export const scoreLogit = (score: number): number => logit(score, 0.001)

/** Boxes that overlap by so much are one thing's. */
export const sameThing = 0.5

/** What the teacher's scores say of a box among those of its picture. */
export interface ScoreFacts {
  readonly score: number
  /** Its rank among the boxes of its phrase that lie elsewhere, from 0. */
  readonly rank: number
  /** The best score of its phrase elsewhere, and of another phrase at the same place; 0 where there is none. */
  readonly elsewhere: number
  readonly otherWords: number
  /** Things that boxes of its phrase of half its score or more lie on. */
  readonly things: number
}

/** The facts of a box's score among the boxes of the picture's phrases, each phrase's best first. */
export function scoreFacts(
  { phrase }: Pick<Question, 'phrase'>,
  box: AskedBox,
  questions: readonly Pick<Question, 'phrase' | 'boxes'>[],
): ScoreFacts {
  let elsewhere = 0
  let otherWords = 0
  const things: Xyxy[] = []
  const better: Xyxy[] = []
  for (const question of questions) {
    for (const { xyxy, score } of question.boxes) {
      const isHere = xyxy === box.xyxy || iou(xyxy, box.xyxy) >= sameThing
      if (question.phrase !== phrase) {
        if (isHere) otherWords = Math.max(otherWords, score)
        continue
      }
      if (!isHere) elsewhere = Math.max(elsewhere, score)
      if (score >= box.score / 2) addThing(things, xyxy)
      if (!isHere && score > box.score) addThing(better, xyxy)
    }
  }
  return { score: box.score, rank: better.length, elsewhere, otherWords, things: things.length }
}

function addThing(things: Xyxy[], box: Xyxy): void {
  if (!things.some((thing) => iou(thing, box) >= sameThing)) things.push(box)
}

/**
 * Writes what is known of a box besides what is seen in it: its place and size in the picture, what its words
 * say of their number, and what the teacher's scores say (zeros where nothing does).
 *
 * @param facts [factCount] of it
 */
export function writeFacts(
  facts: Float32Array,
  [x1, y1, x2, y2]: Xyxy,
  picture: { readonly width: number; readonly height: number },
  { number, count }: Pick<Phrase, 'number' | 'count'>,
  scores: ScoreFacts | undefined,
): void {
  const width = (x2 - x1) / picture.width
  const height = (y2 - y1) / picture.height
  const [x, y] = [(x1 + x2) / 2 / picture.width, (y1 + y2) / 2 / picture.height]
  const place = [
    ...[x - 0.5, y - 0.5, Math.abs(x - 0.5), Math.abs(y - 0.5), width, height],
    ...[Math.sqrt(width * height), Math.max(width, height)],
    Math.log(Math.max(1e-3, (x2 - x1) / Math.max(1e-3, y2 - y1))),
    Math.log(Math.max(1e-4, width * height)) / 4,
  ]
  const words = [
    ...(['singular', 'plural', 'mass'] as const).map((one) => (number === one ? 1 : 0)),
    count ? 1 : 0,
    Math.min(6, count ?? 0) / 6,
  ]
  const said = scores
    ? [
        1,
        scores.score,
        scoreLogit(scores.score) / 4,
        1 / (1 + scores.rank),
        scores.score - scores.elsewhere,
        scores.score - scores.otherWords,
        Math.min(6, scores.things) / 6,
      ]
    : new Array<number>(scoresSaid).fill(0)
  facts.set([...place, ...words, ...said])
}
