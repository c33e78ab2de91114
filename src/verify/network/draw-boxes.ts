import type { Random } from '../../base/random.js'
import { iou } from '../../boxes/iou.js'
import { clipBox, type Xyxy } from '../../boxes/xyxy.js'
import type { Phrase } from '../../rows/rows.js'
import { type ScoreFacts, scoreFacts } from './box-facts.js'
import type { GoldPhrase, JudgedGold } from './judge-pictures.js'

/** Overlap from which a box is right, as an audit has it. */
export const rightIou = 0.5

/** A box of gold's pictures with words, and whether it is right for them. */
export interface BoxSample {
  readonly xyxy: Xyxy
  readonly text: string
  readonly words: Pick<Phrase, 'number' | 'count' | 'head'>
  readonly scores: ScoreFacts | undefined
  readonly right: boolean
}

/** Whether a box is on something that a phrase names. */
export const isRight = (xyxy: Xyxy, truth: readonly Xyxy[]): boolean =>
  truth.some((box) => iou(box, xyxy) >= rightIou)

/** A share of boxes whose scores are not told: those of gold have none. */
const unscored = 0.25

/**
 * Draws boxes of a picture for its phrases: what they name, a little off; the same so far off that it is wrong; what
 * other phrases name; what the teacher proposed; and boxes for phrases that name nothing there.
 */
export function drawBoxes(picture: JudgedGold, draw: Random, count: number): BoxSample[] {
  const { phrases, absent } = picture
  const drawn: BoxSample[] = []
  const all = phrases.flatMap(({ truth }) => truth)
  while (drawn.length < count) {
    const phrase = draw.pick(phrases)
    const kind = draw.next()
    if (kind < 0.24) drawn.push(...sample(picture, phrase, moved(draw.pick(phrase.truth), draw, 0.12)))
    else if (kind < 0.36) drawn.push(...sample(picture, phrase, moved(draw.pick(phrase.truth), draw, 0.5)))
    else if (kind < 0.5) drawn.push(...sample(picture, phrase, moved(draw.pick(all), draw, 0.12)))
    else if (kind < 0.62 && absent.length > 0)
      drawn.push(...wrong(picture, draw.pick(absent), moved(draw.pick(all), draw, 0.12)))
    else if (kind < 0.66) drawn.push(...sample(picture, phrase, anywhere(picture, draw)))
    else drawn.push(...proposed(picture, phrase, draw))
  }
  return drawn.slice(0, count)
}

/** A box that the teacher proposed for a phrase, the better ones oftener. */
function proposed(picture: JudgedGold, phrase: GoldPhrase, draw: Random): BoxSample[] {
  const { boxes, words, truth } = phrase
  if (boxes.length === 0) return sample(picture, phrase, moved(draw.pick(truth), draw, 0.2))
  const box = boxes[Math.floor(boxes.length * draw.next() ** 2)]!
  const scores = draw.next() < unscored ? undefined : scoreFacts(phrase, box, picture.phrases)
  return [{ xyxy: box.xyxy, text: words.text, words, scores, right: isRight(box.xyxy, truth) }]
}

function sample(picture: JudgedGold, { words, truth }: GoldPhrase, given: Xyxy): BoxSample[] {
  const xyxy = clipBox(given, picture)
  if (!xyxy) return []
  return [{ xyxy, text: words.text, words, scores: undefined, right: isRight(xyxy, truth) }]
}

function wrong(picture: JudgedGold, text: string, given: Xyxy): BoxSample[] {
  const xyxy = clipBox(given, picture)
  if (!xyxy) return []
  const head = text.split(' ').at(-1)?.toLowerCase() ?? text
  return [{ xyxy, text, words: { head, number: null, count: null }, scores: undefined, right: false }]
}

/** A box whose sides are moved by up to a share of its size. */
function moved([x1, y1, x2, y2]: Xyxy, draw: Random, by: number): Xyxy {
  const [width, height] = [x2 - x1, y2 - y1]
  const shift = (side: number) => side * draw.between(-by, by)
  const [dx, dy] = [shift(width), shift(height)]
  return [x1 + dx + shift(width), y1 + dy + shift(height), x2 + dx + shift(width), y2 + dy + shift(height)]
}

function anywhere({ width, height }: JudgedGold, draw: Random): Xyxy {
  const side = draw.between(0.1, 0.6)
  const [w, h] = [side * width, side * height * draw.between(0.6, 1.6)]
  const x = draw.between(0, width - w)
  const y = draw.between(0, Math.max(1, height - h))
  return [x, y, x + w, Math.min(height, y + h)]
}
