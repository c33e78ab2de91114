export interface Token {
  readonly text: string
  /** Span in the caption, in code points, half open. */
  readonly start: number
  readonly end: number
  readonly isWord: boolean
}

/**
 * A word: letters, marks and digits, with apostrophes, hyphens and points inside; a possessive ending on its own; or
 * any one other character that is not white space.
 */
const pattern =
  /(?<possessive>['’]s(?![\p{L}\p{N}]))|(?<word>[\p{L}\p{M}\p{N}]+(?:[-'’.&](?!s(?![\p{L}\p{N}]))[\p{L}\p{M}\p{N}]+|-[\p{L}\p{M}\p{N}]+)*)|\S/gsu

/** Words and signs of a caption with their places. The caption itself is never changed. */
export function tokenize(caption: string): Token[] {
  const tokens: Token[] = []
  let unit = 0
  let point = 0
  for (const match of caption.matchAll(pattern)) {
    point += countPoints(caption, unit, match.index)
    const [text] = match
    const length = countPoints(text, 0, text.length)
    tokens.push({ text, start: point, end: point + length, isWord: match.groups?.word !== undefined })
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
