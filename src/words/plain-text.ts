import { entityCharacter, entityPattern, windows1252 } from './html-entities.js'

/** A text as people read it, and where each of its code points stands in the text as it is stored. */
export interface ReadText {
  readonly text: string
  /** Stored code points of each code point of `text`: from `starts[i]` up to `ends[i]`. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/** What any of the steps below would change; most captions have none of it. */
const marked = /[&<*_`ÂÃÄÅâïð®™\u0080-\u009f]|\[\/?[a-z*]|[\p{L}\p{N}]\+\s/iu

/** Bytes 0x80 to 0xBF as Windows-1252 and Latin-1 show them. */
const continuation = `[\\u0080-\\u00bf${windows1252}]`
const mojibake = new RegExp(
  `[ÂÃ]${continuation}|[ÄÅ][\\u00a1-\\u00bf]|ï»¿|â(?:${continuation}{2}|€)|ð${continuation}{3}`,
  'gu',
)

/** Windows-1252 that was read as Latin-1. */
const controls = /[\u0080-\u009f]/g

/** Tags inside a line of text; others part what they stand between, and stay. */
const inlineTag =
  /<\/?(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|del|em|font|i|ins|kbd|mark|nobr|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr)(?:\s[^<>]{0,200})?\/?>/gi

/** Marks of forums (BBCode). */
const forumTag =
  /\[\/?(?:b|i|u|s|url|img|colou?r|size|font|quote|code|center|left|right|list|\*)(?:=[^[\]]{0,200})?\]/gi

/**
 * Markdown's marks of emphasis and code: at a word's start or end, or two stars and more anywhere; and marks of
 * trade behind a word ("Artisan®", "70+ pieces").
 */
const emphasis =
  /(?<=[\p{L}\p{N}])(?:[®™]|\+(?=\s))|\*{2,3}|(?<![\p{L}\p{N}*_`])(?:[*_]{1,3}|`{1,3})(?=[\p{L}\p{N}])|(?<=[\p{L}\p{N}.,!?])(?:[*_]{1,3}|`{1,3})(?![\p{L}\p{N}*_`])/gu

/**
 * A text without what only a browser or an editor reads: HTML's entities are the characters that they stand
 * for, also where they were escaped twice or have lost their semicolon, and an unknown one is a sign; tags
 * inside a line, forums' marks and Markdown's marks of emphasis are spaces; UTF-8 that was read as Windows-1252
 * ("donâ€™t"), once or several times, is read as what it was.
 *
 * @returns undefined where the text has nothing of it
 */
export function readText(stored: string): ReadText | undefined {
  if (!marked.test(stored)) return undefined
  const points = [...stored]
  let read: ReadText = {
    text: stored,
    starts: points.map((_, at) => at),
    ends: points.map((_, at) => at + 1),
  }
  // What was read wrongly twice is read rightly twice.
  for (let before = ''; before !== read.text; ) {
    before = read.text
    read = replaced(read, mojibake, ([text]) => decoded(text))
  }
  read = replaced(read, controls, ([text]) => windows1252.charAt(text.charCodeAt(0) - 0x80))
  read = replaced(read, entityPattern, ({ groups }) => entityCharacter(groups ?? {}))
  read = replaced(read, inlineTag, () => ' ')
  read = replaced(read, forumTag, () => ' ')
  read = replaced(read, emphasis, () => ' ')
  return read.text === stored ? undefined : read
}

/** A text as people read it (see `readText`), the spaces of what was taken out joined to one. */
export function plainText(stored: string): string {
  const read = readText(stored)
  return read === undefined ? stored : read.text.replace(/ {2,}/g, ' ').trim()
}

/** The text with each match replaced; what stands for a match has the whole place of the match. */
function replaced(read: ReadText, pattern: RegExp, by: (match: RegExpExecArray) => string): ReadText {
  const matches = [...read.text.matchAll(pattern)]
  if (matches.length === 0) return read
  const starts: number[] = []
  const ends: number[] = []
  let text = ''
  let unit = 0
  let point = 0
  const keep = (part: string) => {
    text += part
    for (const _ of part) {
      starts.push(read.starts[point] ?? 0)
      ends.push(read.ends[point] ?? 0)
      point++
    }
  }
  for (const match of matches) {
    keep(read.text.slice(unit, match.index))
    const start = read.starts[point] ?? 0
    point += [...match[0]].length
    const end = read.ends[point - 1] ?? start
    for (const character of by(match)) {
      text += character
      starts.push(start)
      ends.push(end)
    }
    unit = match.index + match[0].length
  }
  keep(read.text.slice(unit))
  return { text, starts, ends }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** UTF-8 whose bytes were read as Windows-1252; the text itself where the bytes are none. */
function decoded(text: string): string {
  // A closing quotation mark has a byte that Windows-1252 does not have, and loses it.
  if (text === 'â€') return '”'
  const bytes = [...text].map((character) => {
    const code = character.charCodeAt(0)
    return code < 0x100 ? code : 0x80 + windows1252.indexOf(character)
  })
  try {
    return utf8.decode(Uint8Array.from(bytes))
  } catch {
    return text
  }
}
