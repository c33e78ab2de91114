import { iou } from '../boxes/iou.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { Verdict } from '../rows/rows.js'
import type { DoubtModel } from './doubt-model.js'
import { type DoubtedPicture, sameThing } from './doubted-picture.js'
import type { WrongKind } from './spoil.js'

/** Something that is likely to be wrong in a picture. */
export interface Doubt {
  readonly key: string
  /** Index into the picture's phrases. */
  readonly phrase: number
  readonly text: string
  readonly kind: WrongKind | 'missing'
  /** 0 to 1. */
  readonly likelihood: number
  /** The box that is doubted; null where one is missing. */
  readonly xyxy: Xyxy | null
  /** The box that it should be, or that is missing; null where none is known. */
  readonly suggested: Xyxy | null
  /** Of a box that is another phrase's, the phrase that the model finds there; null otherwise. */
  readonly instead: string | null
}

/** What is said of a picture: of each box how likely it is right, and what is likely to be wrong. */
export interface PictureDoubts {
  /** Of the boxes in their order, with those that are missing behind them. */
  readonly verdicts: readonly Verdict[]
  readonly doubts: readonly Doubt[]
  /** Boxes of phrases that the model cannot be asked for. */
  readonly unasked: number
}

/**
 * Says what is likely to be wrong in a picture.
 *
 * @param judge under whose name
 * @param threshold likelihood from which on it is said
 */
export function pictureDoubts(
  picture: DoubtedPicture,
  model: DoubtModel,
  { judge, threshold }: { readonly judge: string; readonly threshold: number },
): PictureDoubts {
  const { key, phrases, boxes } = picture
  const verdicts: Verdict[] = []
  const doubts: Doubt[] = []
  let unasked = 0
  const say = (of: Pick<Verdict, 'phrase' | 'xyxy' | 'verdict' | 'probability' | 'redrawn' | 'reason'>) =>
    verdicts.push({ ...of, start: null, end: null, judge, person: false, at: null })
  model.boxes(picture).forEach((doubt, at) => {
    const { phrase, xyxy } = boxes[at]!
    if (!doubt) {
      unasked++
      return
    }
    const { right: probability, ...wrong } = doubt
    const [kind, likelihood] = likeliest(wrong)
    const suggested = kind === 'misplaced' ? placeBeside(picture, at) : null
    if (1 - probability < threshold) {
      say({ phrase, xyxy, verdict: 'accept', probability, redrawn: null, reason: null })
      return
    }
    const verdict = suggested ? 'redraw' : 'reject'
    say({ phrase, xyxy, verdict, probability, redrawn: suggested, reason: kind })
    const instead = kind === 'swapped' ? phraseThere(picture, at) : null
    const text = phrases[phrase]?.text ?? ''
    doubts.push({ key, phrase, text, kind, likelihood, xyxy, suggested, instead })
  })
  for (const { phrase, xyxy, likelihood } of model.missing(picture)) {
    if (likelihood < threshold) continue
    say({ phrase, xyxy, verdict: 'add', probability: likelihood, redrawn: null, reason: 'missing' })
    const text = phrases[phrase]?.text ?? ''
    doubts.push({
      ...{ key, phrase, text, kind: 'missing', likelihood },
      ...{ xyxy: null, suggested: xyxy, instead: null },
    })
  }
  return { verdicts, doubts, unasked }
}

function likeliest(wrong: Readonly<Record<WrongKind, number>>): readonly [WrongKind, number] {
  const [first] = Object.entries(wrong).sort(([, a], [, b]) => b - a)
  return first as [WrongKind, number]
}

/** The surest box of a phrase that overlaps one of its own and is not another's. */
function placeBeside({ boxes, found }: DoubtedPicture, at: number): Xyxy | null {
  const { phrase, xyxy } = boxes[at]!
  const mates = boxes.filter((box, index) => index !== at && box.phrase === phrase)
  const beside = (found.get(phrase) ?? []).filter(
    (box) =>
      iou(box.xyxy, xyxy) >= 0.1 &&
      iou(box.xyxy, xyxy) < 0.95 &&
      mates.every((mate) => iou(mate.xyxy, box.xyxy) < sameThing),
  )
  return beside.reduce((best, box) => (box.score > best.score ? box : best), {
    score: 0,
    xyxy: null as Xyxy | null,
  }).xyxy
}

/** The phrase of which the model is surest at the place of a box, but for its own. */
function phraseThere({ boxes, phrases, found }: DoubtedPicture, at: number): string | null {
  const { phrase, xyxy } = boxes[at]!
  let best: { readonly score: number; readonly text: string | null } = { score: 0, text: null }
  for (const [other, list] of found) {
    if (other === phrase) continue
    for (const box of list)
      if (box.score > best.score && iou(box.xyxy, xyxy) >= sameThing)
        best = { score: box.score, text: phrases[other]?.text ?? null }
  }
  return best.text
}
