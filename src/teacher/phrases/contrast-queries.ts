import { random } from '../../base/random.js'
import { iou } from '../../boxes/iou.js'
import type { Xyxy } from '../../boxes/xyxy.js'
import type { Phrase, Proposal } from '../../rows/rows.js'
import { type AttributeValue, withAttribute } from '../../words/attribute-values.js'
import { bareName } from '../../words/bare-name.js'
import type { Span } from '../../words/name-prompt.js'

/** A caption with another value for one attribute of its phrases, and the phrases that this changes. */
export interface ContrastQuery {
  readonly text: string
  /** Spans in that text, code points. */
  readonly phrases: readonly Span[]
  /** For each span the indices of the row's phrases that it stands for. */
  readonly occurrences: readonly (readonly number[])[]
}

/** Spans of a caption's phrases, each once, as `distinctSpans` gives them. */
interface CaptionPhrases {
  readonly spans: readonly Span[]
  readonly occurrences: readonly (readonly number[])[]
}

/** An attribute's word in a caption, and which of the caption's spans it is an attribute of. */
interface ContrastedWord {
  /** Its span is in the caption. */
  readonly value: AttributeValue
  readonly inSpans: number[]
  /** Values that these phrases have already: "a black and white cat" is not asked as "white and white". */
  readonly present: Set<string>
}

/**
 * What is asked to see whether a teacher reads the colours, sizes and places of a caption's phrases: the
 * caption with one word of them replaced, so that nothing else of the sentence differs, once for each word and
 * each of up to `count` other values of it. Which values is decided by the picture's key and the word's place.
 */
export function contrastQueries(
  key: string,
  caption: number,
  text: string,
  { spans, occurrences }: CaptionPhrases,
  phrases: readonly Phrase[],
  count: number,
): ContrastQuery[] {
  if (count === 0) return []
  const points = [...text]
  const words = new Map<number, ContrastedWord>()
  spans.forEach(([start, end], span) => {
    const head = phrases[occurrences[span]?.[0] ?? -1]?.head ?? ''
    const values = bareName(points.slice(start, end).join(''), head)?.values ?? []
    for (const value of values) {
      const own: Span = [start + value.span[0], start + value.span[1]]
      const word = words.get(own[0]) ?? { value: { ...value, span: own }, inSpans: [], present: new Set() }
      words.set(own[0], word)
      word.inSpans.push(span)
      for (const other of values) word.present.add(other.value)
    }
  })
  return [...words.values()].flatMap(({ value, inSpans, present }) => {
    const others = value.others.filter((other) => !present.has(other))
    const drawn = random('contrast', key, caption, value.span[0]).shuffle(others).slice(0, count)
    return drawn.map((other) => swapped(text, value, other, inSpans, { spans, occurrences }))
  })
}

/** The caption with another value for a word, and the spans around that word where they then lie. */
function swapped(
  text: string,
  value: AttributeValue,
  other: string,
  inSpans: readonly number[],
  { spans, occurrences }: CaptionPhrases,
): ContrastQuery {
  const changed = withAttribute(text, value, other)
  const [wordStart, wordEnd] = value.span
  const grown = [...changed].length - [...text].length
  // An article right before the word may have changed too: where a phrase begins with the word, the article is
  // in front of it.
  const article = grown - ([...other].length - (wordEnd - wordStart))
  return {
    text: changed,
    phrases: inSpans.map((span): Span => {
      const [start, end] = spans[span] ?? [0, 0]
      return [start + (start === wordStart ? article : 0), end + grown]
    }),
    occurrences: inSpans.map((span) => occurrences[span] ?? []),
  }
}

/** The least IoU of boxes that are around the same thing. */
const leastOverlap = 0.5

/** A box that was found for a phrase when it was asked with another value. */
export interface ContrastBox {
  readonly phrase: number
  readonly xyxy: Xyxy
  readonly score: number
}

/**
 * The proposals with their `contrast`: the best score of a box around the same thing, to an IoU of 0.5, of the
 * same phrase with another value; 0 where there is none, null where the phrase was not asked so, or where the
 * box has the label of a detector with a fixed list, which reads no phrase.
 *
 * @param asked indices of the phrases that were asked with other values
 */
export function withContrast(
  proposals: readonly Proposal[],
  asked: ReadonlySet<number>,
  boxes: readonly ContrastBox[],
): Proposal[] {
  const byPhrase = new Map<number, ContrastBox[]>()
  for (const box of boxes) {
    const own = byPhrase.get(box.phrase)
    if (own) own.push(box)
    else byPhrase.set(box.phrase, [box])
  }
  return proposals.map((proposal) => {
    if (proposal.label !== null || !asked.has(proposal.phrase)) return { ...proposal, contrast: null }
    let contrast = 0
    for (const { xyxy, score } of byPhrase.get(proposal.phrase) ?? []) {
      if (score > contrast && iou(xyxy, proposal.xyxy) >= leastOverlap) contrast = score
    }
    return { ...proposal, contrast }
  })
}
