import { shownName } from '../../base/name-list.js'
import { iou } from '../../boxes/iou.js'
import { clipBox, mapBox, type Xyxy } from '../../boxes/xyxy.js'
import type { ReviewAction, ReviewEntry } from '../review-entry.js'
import { type ExportedPicture, labelOf, shownBox } from './exported-picture.js'
import type { ReturnedBox, ReturnedPicture } from './returned-picture.js'

/**
 * In pixels. A box each of whose sides lies where it was, but for this, was not touched: tools round to two decimals,
 * x y width height twice, and a hand moves no box by so little.
 */
export const untouchedWithin = 0.05

/** In pixels. What rounding moves a side by at most: half a hundredth of x, of the width, and what floats leave. */
const roundedWithin = 0.011

/** In a file without ids a box of the same phrase that overlaps one that is gone by this much is that one, redrawn. */
const sameThing = 0.5

/** What a reviewer says, without who and when. */
export type ReturnedEntry = Omit<ReviewEntry, 'id' | 'at' | 'reviewer' | 'stage' | 'undoes'>

export interface ReturnedVerdicts {
  readonly entries: readonly ReturnedEntry[]
  readonly problems: readonly { readonly reason: string; readonly detail: string }[]
  /** Boxes that were turned, of which the upright box around them was taken. */
  readonly turned: number
}

/** A box that came back, in its picture and with its words known. */
interface Placed {
  readonly from: ReturnedBox
  readonly xyxy: Xyxy
  /** The phrase; where it is words that are no phrase, or nothing is said, undefined. */
  readonly phrase: number | undefined
  /** The words where they are no phrase. */
  readonly span: Span | undefined
}

interface Span {
  readonly caption: number
  readonly start: number
  readonly end: number
}

/**
 * What a reviewer has said of a picture by what became of its boxes: untouched, accepted; gone, rejected; moved,
 * redrawn; of other words of the caption, relabelled; new, added. Of words of another caption, or moved and of other
 * words: rejected, and added there. Boxes that were not touched keep their bits.
 */
export function returnedVerdicts(returned: ReturnedPicture): ReturnedVerdicts {
  const { picture, captions } = returned
  const problems: { reason: string; detail: string }[] = []
  /** Which of the exported boxes each one is. */
  const claimed = new Map<number, Placed | null>()
  const placed = returned.boxes.flatMap((from): Placed[] => {
    const one = place(picture, from)
    if (typeof one !== 'string') return [one]
    problems.push({ reason: one, detail: problemText(picture, from, one) })
    // Nobody knows what was meant by it: its box is neither accepted nor rejected.
    if (typeof from.box === 'number') claimed.set(from.box, null)
    return []
  })
  const left = claim(picture, placed, claimed)
  const entries: ReturnedEntry[] = []
  const say = (action: ReviewAction, phrase: number | null, more: Partial<ReturnedEntry> = {}) =>
    entries.push({
      key: picture.key,
      action,
      phrase: phrase === null ? null : (picture.phrases[phrase] ?? null),
      ...{ xyxy: null, redrawn: null, words: null },
      ...more,
    })
  const add = ({ from, xyxy, phrase }: Placed) => {
    if (phrase !== undefined) say('add', phrase, { xyxy })
    else problems.push({ reason: 'unknown_phrase', detail: problemText(picture, from, 'unknown_phrase') })
  }
  for (const [index, { phrase, xyxy }] of picture.boxes.entries()) {
    const caption = picture.phrases[phrase]?.caption ?? -1
    if (captions !== null && !captions.has(caption)) continue
    const own = claimed.get(index)
    if (own === null) continue
    if (!own) {
      say('reject', phrase, { xyxy })
      continue
    }
    const isMoved = !isUntouched(shownBox(picture, xyxy), own.xyxy)
    const span = own.span ?? picture.phrases[own.phrase ?? phrase]
    const isSame = own.span === undefined && (own.phrase ?? phrase) === phrase
    if (isSame) say(isMoved ? 'redraw' : 'accept', phrase, { xyxy, redrawn: isMoved ? own.xyxy : null })
    else if (!isMoved && span?.caption === caption)
      say('relabel', phrase, { xyxy, words: { start: span.start, end: span.end } })
    else {
      say('reject', phrase, { xyxy })
      add(isMoved ? own : { ...own, xyxy })
    }
  }
  left.forEach(add)
  if (returned.allFound)
    for (const [index, { caption }] of picture.phrases.entries())
      if (captions === null || captions.has(caption)) say('complete', index)
  say('done', null)
  const turned = returned.boxes.filter(({ isTurned }) => isTurned).length
  return { entries: onceEach(picture, entries), problems, turned }
}

/** Whether a box is where it was. */
export const isUntouched = (a: Xyxy, b: Xyxy, within = untouchedWithin): boolean =>
  a.every((side, at) => Math.abs(side - (b[at] as number)) <= within)

/** A box in its picture, or why it is none. */
function place(picture: ExportedPicture, from: ReturnedBox): Placed | 'bad_box' | 'unknown_phrase' {
  const inside = from.xyxy.every(Number.isFinite) ? clipBox(from.xyxy, picture) : undefined
  // Boxes are 32-bit floats: one that is thinner than these tell apart has no area.
  const xyxy = inside && mapBox(inside, Math.fround)
  if (!xyxy || !(xyxy[2] > xyxy[0] && xyxy[3] > xyxy[1])) return 'bad_box'
  const { words } = from
  if (words === null) return { from, xyxy, phrase: undefined, span: undefined }
  if (typeof words === 'string') return 'unknown_phrase'
  if (typeof words === 'number') return { from, xyxy, phrase: words, span: undefined }
  const { caption, start, end } = words
  const length = [...(picture.captions[caption] ?? '')].length
  if (!(start >= 0 && start < end && end <= length)) return 'unknown_phrase'
  const phrase = picture.phrases.findIndex(
    (one) => one.caption === caption && one.start === start && one.end === end,
  )
  return phrase >= 0
    ? { from, xyxy, phrase, span: undefined }
    : { from, xyxy, phrase: undefined, span: words }
}

/**
 * Finds which exported box each one is: by its id; then, of those without one, by where it is and its words; then, where
 * the file keeps no ids, the nearest of the same phrase.
 *
 * @returns those that are none of them
 */
function claim(
  picture: ExportedPicture,
  placed: readonly Placed[],
  claimed: Map<number, Placed | null>,
): readonly Placed[] {
  const left = new Set(placed)
  const take = (index: number, one: Placed) => {
    claimed.set(index, one)
    left.delete(one)
  }
  const isFree = (index: number) => picture.boxes[index] !== undefined && !claimed.has(index)
  const isAlike = (index: number, { xyxy, phrase, span }: Placed, within = untouchedWithin) => {
    const box = picture.boxes[index]
    if (!box || span !== undefined || (phrase !== undefined && phrase !== box.phrase)) return false
    return isUntouched(shownBox(picture, box.xyxy), xyxy, within)
  }
  // Of copies, which have the id of what was copied, the one that lies nearest is it.
  const byId = placed.flatMap((one) => {
    const { box } = one.from
    const own = typeof box === 'number' ? picture.boxes[box] : undefined
    if (typeof box !== 'number' || !own) return []
    const overlap = iou(shownBox(picture, own.xyxy), one.xyxy)
    return [{ box, one, overlap: isAlike(box, one) ? 2 : overlap }]
  })
  byId.sort((a, b) => b.overlap - a.overlap)
  for (const { box, one } of byId) if (isFree(box)) take(box, one)
  const byLeft = picture.boxes
    .map(({ xyxy }, index) => ({ index, x: shownBox(picture, xyxy)[0] }))
    .sort((a, b) => a.x - b.x || a.index - b.index)
  // Those that were rounded alone go first: of boxes side by side none takes the place of another one.
  for (const within of [roundedWithin, untouchedWithin])
    for (const one of [...left]) {
      const found = near(byLeft, one.xyxy[0]).find(
        ({ index }) => isFree(index) && isAlike(index, one, within),
      )
      if (found) take(found.index, one)
    }
  const unknown = [...left].filter(({ from }) => from.box === null)
  const pairs = picture.boxes.flatMap(({ phrase, xyxy }, index) => {
    if (!isFree(index)) return []
    return unknown.flatMap((one) => {
      const overlap = iou(shownBox(picture, xyxy), one.xyxy)
      const isSame = (one.phrase ?? phrase) === phrase && one.span === undefined
      const isStill = isUntouched(shownBox(picture, xyxy), one.xyxy)
      return (isSame && overlap >= sameThing) || isStill ? [{ index, one, overlap, isStill }] : []
    })
  })
  pairs.sort((a, b) => Number(b.isStill) - Number(a.isStill) || b.overlap - a.overlap)
  for (const { index, one } of pairs) if (isFree(index) && left.has(one)) take(index, one)
  return [...left]
}

/** Those of a sorted list that begin where a box does. */
function near<T extends { readonly x: number }>(sorted: readonly T[], x: number): readonly T[] {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((sorted[middle] as T).x < x - untouchedWithin) from = middle + 1
    else to = middle
  }
  let end = from
  while (end < sorted.length && (sorted[end] as T).x <= x + untouchedWithin) end++
  return sorted.slice(from, end)
}

/**
 * One entry of each thing, for the last one alone would hold. Of a box that stands twice the better verdict is kept; where
 * another box was put where one of the phrase had been, that one is right, and what it had become is added.
 */
function onceEach({ phrases }: ExportedPicture, entries: readonly ReturnedEntry[]): readonly ReturnedEntry[] {
  const best = new Map<string, ReturnedEntry>()
  const keep = (entry: ReturnedEntry) => {
    const { phrase, xyxy, action, redrawn, words } = entry
    const thing = JSON.stringify([phrase && [phrase.caption, phrase.start, phrase.end], xyxy])
    const other = best.get(thing)
    if (!other) best.set(thing, entry)
    else if (action === 'add' && other.action !== 'add') {
      best.set(thing, { ...other, action: 'accept', redrawn: null, words: null })
      const renamed = phrases.find(
        ({ caption, start, end }) =>
          caption === other.phrase?.caption && start === other.words?.start && end === other.words.end,
      )
      if (other.redrawn) keep({ ...other, action: 'add', xyxy: other.redrawn, redrawn: null })
      else if (renamed) keep({ ...other, action: 'add', phrase: renamed, words: null })
    } else if (order.indexOf(action) < order.indexOf(other.action))
      best.set(thing, { ...other, action, redrawn, words })
  }
  // Those that were added come last: what they are held against is known then.
  for (const entry of entries) if (entry.action !== 'add') keep(entry)
  for (const entry of entries) if (entry.action === 'add') keep(entry)
  return [...best.values()]
}

/** The better one of two verdicts first. */
const order: readonly ReviewAction[] = ['accept', 'redraw', 'relabel', 'add', 'reject']

function problemText(picture: ExportedPicture, { words, xyxy }: ReturnedBox, reason: string): string {
  if (reason === 'bad_box') {
    const sides = xyxy.map((side) => (Number.isFinite(side) ? Number(side.toFixed(2)) : 'none'))
    return `${picture.key}: the box ${sides.join(' ')} has no area in the picture, ${picture.width} x ${picture.height}`
  }
  const few = picture.phrases.slice(0, 5).map((_, index) => shownName(labelOf(picture, index)))
  const known = few.length > 0 ? `; it has ${few.join(', ')}${picture.phrases.length > 5 ? ', …' : ''}` : ''
  const named =
    words === null
      ? 'a box says of no phrase that it is of it'
      : typeof words === 'string'
        ? `${shownName(words)} is no phrase of the picture`
        : typeof words === 'object'
          ? `the words ${words.start} to ${words.end} of caption ${words.caption + 1} are no phrase of the picture`
          : `phrase ${words + 1} is none of the picture`
  return `${picture.key}: ${named}${known}`
}
