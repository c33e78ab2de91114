import { random } from '../base/random.js'
import type { Xyxy } from '../boxes/xyxy.js'
import type { Caption, Phrase, Region } from '../rows/rows.js'
import {
  type AttributeKind,
  type AttributeValue,
  attributeValues,
  countOfValue,
  withAttribute,
} from '../words/attribute-values.js'
import { labelMatches } from '../words/label-matches.js'
import type { Span } from '../words/name-prompt.js'

/** What gold says of a picture: all its captions, their phrases, and the boxes that these name. */
export interface PictureGold {
  /** Unique in the dataset. */
  readonly key: string
  readonly captions: readonly Caption[]
  readonly phrases: readonly Phrase[]
  readonly regions: readonly Pick<Region, 'phrase' | 'xyxy'>[]
}

/** A caption in which one word of a phrase, or of the tail behind it, has another value. */
export interface AttributeSwap {
  readonly kind: AttributeKind
  /** Index of the phrase. */
  readonly phrase: number
  readonly text: string
  /** Where a span of the caption lies in `text`; it does not begin or end within the word. */
  readonly spanOf: (span: Span) => Span
  /**
   * Whether gold rules out that the swapped phrase names something in the picture: every box that a phrase of
   * the same head names is of a value that excludes the other one.
   */
  readonly absent: boolean
}

/** A phrase of the picture with what gold says of it. */
interface GoldPhrase {
  readonly phrase: Phrase
  /** Its boxes, each as a text. */
  readonly boxes: ReadonlySet<string>
  /** Attributes that it names, and places in its tail; spans in the caption. */
  readonly values: readonly AttributeValue[]
}

/** Identifies a box of gold: what several phrases name has the same sides in each. */
export const boxKey = (xyxy: Xyxy): string => xyxy.join()

/**
 * For each phrase of a written caption that has boxes, and each kind of attribute that it names: the caption
 * with another value in the place of one, drawn among the values that gold knows to be false.
 *
 * - The value excludes the one that the caption has (`attributeValues`).
 * - No phrase of any caption of the picture that has the same head, or names one of the same boxes, has it.
 * - A number is neither how many boxes the phrase has nor how many its head has in the picture.
 *
 * Values of which nothing of the same head can be (`absent`) are drawn first. A word that is itself the head
 * ("an orange") tells no attribute.
 */
export function attributeSwaps(gold: PictureGold): AttributeSwap[] {
  const named = goldPhrases(gold)
  return named.flatMap((own, phrase) => {
    const caption = gold.captions[own.phrase.caption]
    if (!caption || caption.kind === 'categories' || own.boxes.size === 0) return []
    const kinds = new Set(own.values.map(({ kind }) => kind))
    return [...kinds].flatMap((kind): AttributeSwap[] => {
      const open = candidatesOf(own, kind, named)
      const absent = open.filter((candidate) => candidate.absent)
      const choices = absent.length > 0 ? absent : open
      if (choices.length === 0) return []
      const draw = random('attribute', gold.key, phrase, kind)
      const { value, other, absent: isAbsent } = draw.pick(choices)
      return [{ kind, phrase, absent: isAbsent, ...swapWord(caption.text, value, other) }]
    })
  })
}

interface Candidate {
  readonly value: AttributeValue
  readonly other: string
  readonly absent: boolean
}

/** Words of the kind with values that are false in their place. */
function candidatesOf(own: GoldPhrase, kind: AttributeKind, named: readonly GoldPhrase[]): Candidate[] {
  const { head } = own.phrase
  const alike = named.filter((rival) => rival.phrase.head === head || labelMatches(head, rival.phrase))
  const sharing = named.filter(({ boxes }) => [...boxes].some((box) => own.boxes.has(box)))
  const stated = new Set(
    [...alike, ...sharing].flatMap(({ values }) => ofKind(values, kind).map(({ value }) => value)),
  )
  const alikeBoxes = new Set(alike.flatMap(({ boxes }) => [...boxes]))
  const isElsewhereOtherwise = (other: string) =>
    [...alikeBoxes].every(
      (box) =>
        own.boxes.has(box) ||
        named.some(
          ({ boxes, values }) =>
            boxes.has(box) && ofKind(values, kind).some(({ others }) => others.includes(other)),
        ),
    )
  return ofKind(own.values, kind).flatMap((value) =>
    value.others
      .filter((other) => {
        const count = countOfValue(other)
        return !stated.has(other) && count !== own.boxes.size && count !== alikeBoxes.size
      })
      .map((other) => ({ value, other, absent: kind === 'number' || isElsewhereOtherwise(other) })),
  )
}

const ofKind = (values: readonly AttributeValue[], kind: AttributeKind) =>
  values.filter((value) => value.kind === kind)

function goldPhrases({ captions, phrases, regions }: PictureGold): GoldPhrase[] {
  const points = captions.map(({ text }) => [...text])
  return phrases.map((phrase, index) => {
    const own = regions.filter((region) => region.phrase === index)
    const inside = attributeValues(phrase.text)
      .map((value) => shifted(value, phrase.start))
      .filter((value) => wordOf(points[phrase.caption], value) !== phrase.head)
    const [start, end] = tailOf(phrase, phrases, points[phrase.caption] ?? [])
    const behind = attributeValues((points[phrase.caption] ?? []).slice(start, end).join(''))
      .filter(({ kind }) => kind === 'place')
      .map((value) => shifted(value, start))
    return { phrase, boxes: new Set(own.map(({ xyxy }) => boxKey(xyxy))), values: [...inside, ...behind] }
  })
}

const shifted = (value: AttributeValue, by: number): AttributeValue => ({
  ...value,
  span: [value.span[0] + by, value.span[1] + by],
})

const wordOf = (points: readonly string[] = [], { span: [start, end] }: AttributeValue) =>
  points.slice(start, end).join('').toLowerCase()

/** Where a tail ends: what follows is of another phrase. */
const tailStop = /[.,;:!?()[\]{}"“”|/–—]|\s-\s|\b(?:and|or|but|while)\b/iu

/**
 * The words behind a phrase that belong to it: its referring expression where that is known, else what
 * stands before the next phrase, punctuation or conjunction.
 */
function tailOf(phrase: Phrase, phrases: readonly Phrase[], points: readonly string[]): Span {
  const { caption, end, expression_end: known } = phrase
  if (known !== null && known !== undefined) return [end, Math.max(end, known)]
  const later = phrases.filter((other) => other.caption === caption && other.start >= end)
  const next = Math.min(points.length, ...later.map(({ start }) => start))
  const between = points.slice(end, next).join('')
  const stop = between.search(tailStop)
  return [end, stop < 0 ? next : end + [...between.slice(0, stop)].length]
}

/** The caption with another value for one of its words; an article before the word follows it. */
function swapWord(
  text: string,
  value: AttributeValue,
  other: string,
): Pick<AttributeSwap, 'text' | 'spanOf'> {
  const swapped = withAttribute(text, value, other)
  const [start, end] = value.span
  const longer = [...swapped].length - [...text].length
  const before = longer - ([...other].length - (end - start))
  const moved = (at: number) => (at >= end ? at + longer : at >= start ? at + before : at)
  return { text: swapped, spanOf: ([from, to]) => [moved(from), moved(to)] }
}
