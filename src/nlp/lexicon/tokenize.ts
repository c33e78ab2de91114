import { cleanWord } from './clean-word.js'

export interface Token {
  readonly text: string
  /** The cleaned word; for a sign, the sign itself. */
  readonly word: string
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  /** Letters or digits; anything else is a sign. */
  readonly isWord: boolean
}

const letter = String.raw`\p{L}\p{M}\p{N}\u00ad\u200c\u200d\u2060`
const inWord = `[${letter}]`
/** An 's of its own or at the end of a word. */
const possessive = `['’]s(?!${inWord})`

/** "12/05/2010", "2010-05-12", with a time behind it or not; no part of a longer number. */
const date = String.raw`(?<![\d./-])(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}[/.-]\d{1,2}[/.-]\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?(?![\d/-])`
/** What cameras and phones call their files, without an ending: "DSC_0012", "IMG-20150412-WA0003". */
const fileName = String.raw`(?:DSC[NF]?|IMG|PICT|MVI|PXL|GOPR|VID|SAM|CIMG|MG)[_-]?\d{3,}[\p{L}\p{N}_-]{0,40}(?!${inWord})`

/**
 * In this order: addresses, files, handles, dates and markup, which are signs as a whole; `<PERSON>`, as
 * CC12M hides names; the possessive ending; numbers; words with apostrophes, hyphens and points inside; any
 * one other visible sign.
 */
const pattern = new RegExp(
  [
    String.raw`(?<skip>https?:\/\/\S+|www\.\S+|@[\p{L}\p{N}_.]+|&(?:#\d{1,7}|#x[\da-f]{1,6}|[a-z]{2,8});|<\/?[a-z][^<>]{0,200}>|[\p{L}\p{N}_-]{1,80}\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|pdf|html?)(?!${inWord})|${date}|${fileName})`,
    '(?<masked><[A-Z]+>)',
    `(?<possessive>${possessive})`,
    String.raw`(?<number>\d+(?:[.,]\d+)+(?!${inWord}))`,
    String.raw`(?<word>\p{L}(?:\.\p{L})+(?!${inWord})|[\p{L}\p{N}]${inWord}*(?:(?!${possessive})[-‐‑'’&]${inWord}+)*)`,
    String.raw`[^\s\p{C}\p{Z}\ufe00-\ufe0f\u20e3]\p{M}*`,
  ].join('|'),
  'gsu',
)

/** Words and signs of a caption with their places. The caption itself is never changed. */
export function tokenize(caption: string): Token[] {
  const tokens: Token[] = []
  let unit = 0
  let point = 0
  for (const match of caption.matchAll(pattern)) {
    point += countPoints(caption, unit, match.index)
    const [text] = match
    const length = countPoints(text, 0, text.length)
    const { word, number, masked } = match.groups as Record<string, string | undefined>
    tokens.push({
      text,
      word: masked ? masked.slice(1, -1).toLowerCase() : word ? cleanWord(word) : text,
      start: point,
      end: point + length,
      isWord: (word ?? number ?? masked) !== undefined,
    })
    unit = match.index + text.length
    point += length
  }
  return tokens
}

/** Code points between two UTF-16 offsets. */
function countPoints(text: string, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; count++) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1
  return count
}
