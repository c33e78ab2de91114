import type { Xyxy } from '../boxes/xyxy.js'
import { boxAt, clipBox } from '../boxes/xyxy.js'
import type { Picture } from '../pictures/picture.js'
import { keepBest } from './keep-best.js'
import type { PlaceAnswer } from './select-boxes.js'
import type { DetectOptions, PhraseDetection } from './teacher.js'

/**
 * Boxes of each phrase, groundmill's own way: a place's score of a phrase is the mean of its words'
 * probabilities (the official SCORE_AGG MEAN), a box's score the square root of that times the centerness, or
 * the mean itself where the network has no centerness. Suppression runs within a phrase.
 *
 * @param phrases tokens of each phrase; nothing is found for one without any
 * @param toPicture brings a box of the input into pixels of the picture
 */
export function phraseBoxes(
  { scores, boxes, objectness, length }: PlaceAnswer,
  phrases: readonly (readonly number[])[],
  picture: Picture,
  toPicture: (xyxy: Xyxy) => Xyxy,
  options: DetectOptions,
): PhraseDetection[] {
  const found: PhraseDetection[] = []
  phrases.forEach((tokens, phrase) => {
    if (tokens.length === 0) return
    const candidates: PhraseDetection[] = []
    for (let place = 0; place < boxes.length / 4; place++) {
      let sum = 0
      for (const token of tokens) sum += scores[place * length + token]!
      const mean = sum / tokens.length
      const score = objectness ? Math.sqrt(mean * objectness[place]!) : mean
      if (score < options.floor) continue
      const xyxy = clipBox(toPicture(boxAt(boxes, place)), picture)
      if (xyxy) candidates.push({ phrase, xyxy, score })
    }
    found.push(...keepBest(candidates, options))
  })
  return found.sort((a, b) => b.score - a.score)
}
