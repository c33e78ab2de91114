import { iou } from '../boxes/iou.js'
import { boxMatcher } from '../boxes/match-boxes.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { ReviewAction, ReviewEntry } from './review-entry.js'

/** How far two reviewers say the same of what both have judged. */
export interface Kappa {
  /** What both have judged, and on how much of it they agree. */
  readonly both: number
  readonly agreed: number
  /** Cohen's kappa, -1 to 1; null where nothing is judged by both, or both have said one and the same of all. */
  readonly kappa: number | null
}

/** How far boxes lie on each other that two reviewers have drawn. */
export interface DrawnOverlap {
  /** Boxes that both have drawn of one thing. */
  readonly both: number
  /** Mean IoU of these, 0 to 1; null where there are none. */
  readonly iou: number | null
}

export interface PairAgreement {
  readonly reviewers: readonly [string, string]
  /** Boxes that both have accepted or rejected. */
  readonly boxes: Kappa
  /** Phrases that both have called complete, incomplete or unseen. */
  readonly phrases: Kappa
  /** The same box redrawn by both. */
  readonly redrawn: DrawnOverlap
  /** Boxes added by both to one phrase that overlap by an IoU of 0.5 at least, each in one pair. */
  readonly added: DrawnOverlap
}

export interface Agreement {
  /** Reviewers who have said something of the same. */
  readonly pairs: readonly PairAgreement[]
  /**
   * Mean of the pairs' kappas, each pair alike (R. J. Light, Measures of response agreement for qualitative data, 1971):
   * unlike Fleiss' kappa it does not ask that all have judged the same. Null where no pair has one.
   */
  readonly boxes: number | null
  readonly phrases: number | null
}

/** @param effective what holds of a review, as `reviewsOf` gives it */
export function agreementOf(effective: readonly ReviewEntry[]): Agreement {
  const byReviewer = new Map<string, ReviewEntry[]>()
  for (const entry of effective) {
    const own = byReviewer.get(entry.reviewer)
    if (own) own.push(entry)
    else byReviewer.set(entry.reviewer, [entry])
  }
  const all = [...byReviewer]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => ({ name, ...saidBy(own) }))
  const pairs = all.flatMap((a, at) => all.slice(at + 1).map((b) => pairOf(a, b))).filter(hasCommon)
  const mean = (what: 'boxes' | 'phrases') => meanOf(pairs.flatMap(({ [what]: { kappa } }) => kappa ?? []))
  return { pairs, boxes: mean('boxes'), phrases: mean('phrases') }
}

const hasCommon = ({ boxes, phrases, redrawn, added }: PairAgreement): boolean =>
  boxes.both + phrases.both + redrawn.both + added.both > 0

/** What a reviewer has said of each box and phrase, by names that are equal for equal things. */
interface Said {
  readonly boxes: ReadonlyMap<string, ReviewAction>
  readonly phrases: ReadonlyMap<string, ReviewAction>
  readonly redrawn: ReadonlyMap<string, Xyxy>
  readonly added: ReadonlyMap<string, readonly Xyxy[]>
}

function saidBy(entries: readonly ReviewEntry[]): Said {
  const boxes = new Map<string, ReviewAction>()
  const phrases = new Map<string, ReviewAction>()
  const redrawn = new Map<string, Xyxy>()
  const added = new Map<string, Xyxy[]>()
  for (const { key, action, phrase, xyxy, redrawn: box } of entries) {
    if (!phrase) continue
    const name = JSON.stringify([key, phrase.caption, phrase.start, phrase.end])
    const ofBox = `${name} ${xyxy}`
    if (action === 'accept' || action === 'reject') boxes.set(ofBox, action)
    else if (action === 'redraw' && box) redrawn.set(ofBox, box)
    else if (action === 'add' && xyxy) added.set(name, [...(added.get(name) ?? []), xyxy])
    else if (action === 'complete' || action === 'incomplete' || action === 'unseen')
      phrases.set(name, action)
  }
  return { boxes, phrases, redrawn, added }
}

function pairOf(a: Said & { readonly name: string }, b: Said & { readonly name: string }): PairAgreement {
  const redrawn = [...a.redrawn].flatMap(([box, one]) => {
    const other = b.redrawn.get(box)
    return other ? [iou(one, other)] : []
  })
  const added = [...a.added].flatMap(([phrase, one]) => overlaps(one, b.added.get(phrase) ?? []))
  return {
    reviewers: [a.name, b.name],
    boxes: cohensKappa(a.boxes, b.boxes),
    phrases: cohensKappa(a.phrases, b.phrases),
    redrawn: { both: redrawn.length, iou: meanOf(redrawn) },
    added: { both: added.length, iou: meanOf(added) },
  }
}

/**
 * Agreement of two judges beyond that of chance (J. Cohen, A coefficient of agreement for nominal scales, 1960):
 * (p - e) / (1 - e), where they agree on the share p of what both have judged, and e is the share on which they would
 * if each had said the same as often, of things at random.
 */
export function cohensKappa<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>): Kappa {
  const counts = new Map<T, [number, number]>()
  let [both, agreed] = [0, 0]
  const count = (said: T, side: 0 | 1) => {
    const own = counts.get(said) ?? [0, 0]
    own[side]++
    counts.set(said, own)
  }
  for (const [thing, said] of a) {
    const other = b.get(thing)
    if (other === undefined) continue
    both++
    if (other === said) agreed++
    count(said, 0)
    count(other, 1)
  }
  // In whole numbers, so that what is certain by chance is known to be.
  const chance = [...counts.values()].reduce((sum, [one, other]) => sum + one * other, 0)
  const isCertain = chance === both * both
  return { both, agreed, kappa: isCertain ? null : (agreed * both - chance) / (both * both - chance) }
}

const match = boxMatcher()

function overlaps(a: readonly Xyxy[], b: readonly Xyxy[]): number[] {
  const list = (boxes: readonly Xyxy[]) => ({
    xyxy: boxes.flat(),
    phrase: boxes.map(() => 0),
    places: boxes.map((_, at) => at),
    count: boxes.length,
  })
  const pairs = match(list(a), list(b))
  return Array.from({ length: pairs.length }, (_, at) => Math.min(1, pairs.overlap[at] as number))
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
