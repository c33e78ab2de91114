import type { Span } from '../../words/name-prompt.js'

export interface SpannedText {
  readonly text: string
  readonly spans: readonly Span[]
}

/**
 * The caption of a mirrored picture: left and right change places as whole words (MDETR swaps substrings,
 * which makes "bleft" of "bright"), and spans move with the letters.
 */
export function flipWords({ text, spans }: SpannedText): SpannedText {
  const edits = [...text.matchAll(/\b(left|right)\b/giu)].map((match) => ({
    start: [...text.slice(0, match.index)].length,
    word: match[0],
    swapped: matchCase(match[0].toLowerCase() === 'left' ? 'right' : 'left', match[0]),
  }))
  if (edits.length === 0) return { text, spans }
  const points = [...text]
  let flipped = ''
  let at = 0
  for (const { start, word, swapped } of edits) {
    flipped += points.slice(at, start).join('') + swapped
    at = start + word.length
  }
  flipped += points.slice(at).join('')
  const move = (place: number, isEnd: boolean) =>
    edits.reduce((sum, { start, word, swapped }) => {
      const change = swapped.length - word.length
      // A place inside a word moves to the word's start or end, whichever keeps the word whole.
      if (place >= start + word.length) return sum + change
      return place > start && isEnd ? sum + (start + swapped.length - place) : sum
    }, place)
  return { text: flipped, spans: spans.map(([start, end]) => [move(start, false), move(end, true)]) }
}

function matchCase(word: string, like: string): string {
  if (like === like.toUpperCase()) return word.toUpperCase()
  return /^\p{Lu}/u.test(like) ? word.slice(0, 1).toUpperCase() + word.slice(1) : word
}
