import { readText } from '../../words/plain-text.js'
import { cleanWord } from './clean-word.js'

export interface Token {
  /** As people read it: the character, where an entity stands for it. */
  readonly text: string
  /** The cleaned word; for a sign, the sign itself. */
  readonly word: string
  /** Span in the caption as it is stored, in code points, half open. */
  readonly start: number
  readonly end: number
  /** Letters or digits; anything else is a sign. */
  readonly isWord: boolean
}

const letter = String.raw`\p{L}\p{M}\p{N}\u00ad\u200c\u200d\u2060`
const inWord = `[${letter}]`
/** Also what is typed for an apostrophe, and what is left of one that was lost. */
const apostrophe = "['’‘ʼ´`\\u2032\\ufffd＇]"
/** An apostrophe inside a word; what else may stand there only before what is left out so: "don´t". */
const inner = `['’ʼ＇]|${apostrophe}(?=(?:t|re|ve|ll|d|m)(?!${inWord}))`
/** An 's of its own or at the end of a word. */
const possessive = `${apostrophe}s(?!${inWord})`

/** "12/05/2010", "2010-05-12", with a time behind it or not; no part of a longer number. */
const date = String.raw`(?<![\d./-])(?:\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2})|\d{4}[/.-]\d{1,2}[/.-]\d{1,2})(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?(?![\d/-])`
/** What cameras and phones call their files, without an ending: "DSC_0012", "IMG-20150412-WA0003". */
const fileName = String.raw`(?:(?:DSC[NF]?|IMG[P]?|PICT|MVI|PXL|GOPR|VID|SAM|CIMG|MG|HPIM|DJI|KIMG|DCIM)[ _-]?\d{3,}[\p{L}\p{N}_-]{0,40}|[PS]\d{6,8})(?!${inWord})`

const endings =
  'jpe?g|png|gif|webp|bmp|tiff?|svg|pdf|html?|php|aspx?|heic|avif|psd|eps|mp4|mov|avi|zip|docx?|txt'
/** Of addresses without "www": endings that are no English word, so that "the car.the dog" is no address. */
const topDomains = 'com|net|org|edu|gov|info|biz|io|co\\.[a-z]{2}|com\\.[a-z]{2}|de|fr|ru|eu|nl|pl|ca'
const address = String.raw`[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){1,5}|https?:\/\/\S+|www\.\S+|[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,4}\.(?:${topDomains})(?![\p{L}\p{N}-])(?:\/\S*)?`
const file = String.raw`[\p{L}\p{N}_-]{1,80}\.(?:${endings})(?!${inWord})`
const tag = String.raw`<!--.{0,200}?-->|<[/!]?[a-z][^<>]{0,200}>|<\/?(?:BR|P|DIV|LI|[OU]L|T[RDH]|TABLE|H[1-6]|HR|IMG|CENTER)(?:\s[^<>]{0,200})?\/?>`
/** A hashtag that is no word, a handle; and what else is in one piece by low lines. */
const handle = String.raw`@[\p{L}\p{N}_.]+|#[\p{L}\p{N}]*_[\p{L}\p{N}_]*|u/[\p{L}\p{N}_-]+`
const lowLines = String.raw`[\p{L}\p{N}]+(?:_[\p{L}\p{N}-]+)+(?![\p{L}\p{N}])`

/**
 * In this order: addresses, files, handles, dates and markup, which are signs as a whole; the possessive
 * ending; numbers, also with a unit; words with apostrophes, hyphens and points inside; any one other visible
 * sign. `<PERSON>`, as CC12M hides names, is a word between two signs.
 */
const skipped = `(?<skip>${address}|${handle}|${tag}|${file}|${date}|${fileName}|${lowLines})`
/** Written short before a name. */
const title = '(?:Dr|Mr|Mrs|Ms|St|Sen|Rep|Gov|Gen|Prof|Ald|Lt|Sgt|Capt|Col|Rev|Mt|Ft)'
const plain = [
  `(?<possessive>${possessive})`,
  // "'67 Camaro".
  String.raw`(?<year>['’](?<!${inWord}['’])\d{2}s?(?!${inWord}|['’"]))`,
  String.raw`(?<number>(?:\d+(?:[.,]\d+)+\p{L}{0,3}|(?<![\d/])\d+\/\d{1,2}(?![\d/]))(?!${inWord}))`,
  String.raw`(?<word>\p{Lu}(?:\.\p{Lu})+\.(?=\s\p{L})|\p{Lu}(?:\d+\.|\.(?=\d))\d+(?!${inWord})|\p{L}(?:\.\p{L})+(?!${inWord})|[B-HJ-Z]\.(?=\s\p{L})|No\.(?=\s?\d)|${title}\.(?=\s\p{Lu})|w\/o?(?=\s)|[\p{L}\p{N}]${inWord}*(?:(?!${possessive})(?:['’]?[-‐‑&]|${inner})${inWord}+)*)`,
  String.raw`[^\s\p{C}\p{Z}\ufe00-\ufe0f\u20e3]\p{M}*`,
].join('|')
const pattern = new RegExp(`${skipped}|${plain}`, 'gsu')
/** The same for most captions, which have none of what is passed over as a whole. */
const plainPattern = new RegExp(plain, 'gsu')
const hasSkipped =
  /[@#<_]|:\/\/|[^\s.]\.[^\s.]|\d[/-]\d|(?:DSC[NF]?|IMGP?|PICT|MVI|PXL|GOPR|VID|SAM|CIMG|MG|HPIM|DJI|KIMG|DCIM)[ -]?\d|[PS]\d{6}|\bu\//

/**
 * Words and signs of a caption with their places. The caption itself is never changed: it is read as people
 * read it (see `readText`), and a place is where what was read is stored.
 */
export function tokenize(caption: string): Token[] {
  const read = readText(caption)
  const text = read?.text ?? caption
  const tokens: Token[] = []
  let unit = 0
  let point = 0
  for (const match of text.matchAll(hasSkipped.test(text) ? pattern : plainPattern)) {
    point += countPoints(text, unit, match.index)
    const [found] = match
    const behind = point + countPoints(found, 0, found.length)
    const { word, number, year } = match.groups as Record<string, string | undefined>
    tokens.push({
      text: found,
      word: year?.slice(1) ?? (word || number ? (short.get(found) ?? cleanWord(found)) : found),
      start: read?.starts[point] ?? point,
      end: read?.ends[behind - 1] ?? behind,
      isWord: (word ?? number ?? year) !== undefined,
    })
    unit = match.index + found.length
    point = behind
  }
  return tokens
}

/** What shops write for prepositions. */
const short: ReadonlyMap<string, string> = new Map([
  ['w/', 'with'],
  ['w/o', 'without'],
  ['No.', 'nr'],
])

/** Code points between two UTF-16 offsets. */
function countPoints(text: string, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; count++) at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1
  return count
}
