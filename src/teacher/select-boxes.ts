import { nms } from '../boxes/nms.js'
import type { Xyxy } from '../boxes/xyxy.js'
import { boxAt, clipBox } from '../boxes/xyxy.js'
import type { BoxSelection, ImageSize } from '../model/network/config.js'
import type { Picture } from '../pictures/picture.js'
import type { DetectOptions, PhraseDetection } from './teacher.js'

/** What a network says of one picture, for A anchors or queries. */
export interface PlaceAnswer {
  /** [A, L], probabilities of words. */
  readonly scores: Float32Array
  /** [A, 4], in pixels of the input. */
  readonly boxes: Float32Array
  /** [A], the centerness of places; a network with queries has none. */
  readonly objectness?: Float32Array
  /** L */
  readonly length: number
}

export interface SelectedBox {
  readonly phrase: number
  /** Pixels of the input. */
  readonly xyxy: Xyxy
  readonly score: number
}

/**
 * Boxes as the official code selects them (rpn/inference.py, ATSSPostProcessor, with SCORE_AGG MEAN): a
 * phrase's score at a place is the mean of its words' probabilities; those above the threshold are ranked by
 * score times centerness within their level; a box's score is the square root of that product. Boxes are cut
 * off at the picture, each phrase's are suppressed among themselves, and the best of all stay; ties at the
 * last place stay too.
 *
 * The official boxes end with their last pixel and are one wider than x2 - x1. These are the same boxes in
 * edges, which end where that pixel ends, so that areas and overlaps are the official ones without the + 1.
 *
 * @param levelStarts first anchor of each level, and the number of anchors at the end
 * @param phrases tokens of each phrase; nothing is found for one without any
 * @param covered what the picture covers of the input
 * @param iou boxes of a phrase that overlap more are one
 */
export function selectBoxes(
  answer: PlaceAnswer & { readonly objectness: Float32Array },
  levelStarts: readonly number[],
  phrases: readonly (readonly number[])[],
  covered: ImageSize,
  { threshold, level_candidates, boxes: limit }: BoxSelection,
  iou: number,
): SelectedBox[] {
  const byPhrase = phrases.map((): SelectedBox[] => [])
  for (let level = 0; level + 1 < levelStarts.length; level++) {
    const ranked = candidatesOf(answer, phrases, levelStarts[level]!, levelStarts[level + 1]!, threshold)
    for (const { anchor, phrase, product } of ranked.slice(0, level_candidates))
      byPhrase[phrase]!.push({
        phrase,
        xyxy: cutToPicture(boxAt(answer.boxes, anchor), covered),
        score: Math.sqrt(product),
      })
  }
  const kept = byPhrase.flatMap((boxes) => nms(boxes, iou).map((index) => boxes[index]!))
  kept.sort((a, b) => b.score - a.score)
  const last = kept[limit - 1]
  return last ? kept.filter(({ score }) => score >= last.score) : kept
}

/**
 * Selected boxes in pixels of the picture, as far as the options allow them. As in the official code they are
 * not cut off once more: one that ends with the last pixel of what was shown may end less than a pixel behind
 * the picture.
 */
export function withinOptions(
  selected: readonly SelectedBox[],
  picture: Picture,
  toPicture: (xyxy: Xyxy) => Xyxy,
  { floor, max_boxes }: DetectOptions,
): PhraseDetection[] {
  const counts = new Map<number, number>()
  return selected.flatMap(({ phrase, xyxy, score }) => {
    const count = counts.get(phrase) ?? 0
    const box = toPicture(xyxy)
    if (!clipBox(box, picture) || score < floor || count >= max_boxes) return []
    counts.set(phrase, count + 1)
    return [{ phrase, xyxy: box, score }]
  })
}

interface Candidate {
  readonly anchor: number
  readonly phrase: number
  /** Score times centerness. */
  readonly product: number
}

/** Places and phrases of one level above the threshold, best first. */
function candidatesOf(
  { scores, objectness, length }: Parameters<typeof selectBoxes>[0],
  phrases: readonly (readonly number[])[],
  first: number,
  end: number,
  threshold: number,
): Candidate[] {
  const found: Candidate[] = []
  for (let anchor = first; anchor < end; anchor++) {
    phrases.forEach((tokens, phrase) => {
      let sum = 0
      for (const token of tokens) sum += scores[anchor * length + token]!
      const score = sum / tokens.length
      // Written so that the score of a phrase without tokens, which is not a number, fails.
      if (score > threshold) found.push({ anchor, phrase, product: score * objectness[anchor]! })
    })
  }
  return found.sort((a, b) => b.product - a.product)
}

/** A box cut off at the picture's edges; one outside of it keeps a pixel at the edge. */
function cutToPicture([x1, y1, x2, y2]: Xyxy, { width, height }: ImageSize): Xyxy {
  const low = (value: number, size: number) => Math.min(Math.max(value, 0), size - 1)
  const high = (value: number, size: number) => Math.min(Math.max(value, 1), size)
  return [low(x1, width), low(y1, height), high(x2, width), high(y2, height)]
}
