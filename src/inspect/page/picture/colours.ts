import { phraseColours } from '../../../render/phrase-colours.js'
import type { Grounded } from '../../view/answers.js'
import { isKept } from '../../view/threshold.js'

/** Colours of what boxes are beside a truth: with white words on them, and told apart by how lines are drawn too. */
export const verdictColours = {
  right: '#007a58',
  wrong: '#c04c00',
  missed: '#0067a8',
  unjudged: '#475a68',
} as const

/**
 * A colour for each phrase that has a box at any threshold, null for the others: so that dragging changes no
 * colour.
 */
export function coloursOf({ phrases, boxes }: Grounded): (string | null)[] {
  const boxed = new Set(boxes.map(({ phrase }) => phrase))
  const colourOf = phraseColours(phrases.filter((_, at) => boxed.has(at)).map(({ text }) => text))
  return phrases.map(({ text }, at) => (boxed.has(at) ? colourOf(text) : null))
}

/** Of these colours those of phrases that have a box at this threshold, null for the others. */
export function keptColours(
  { boxes }: Grounded,
  colours: readonly (string | null)[],
  threshold: number,
): (string | null)[] {
  const kept = boxes.filter(({ from, to }) => isKept(from, to, threshold))
  const named = new Set(kept.map(({ phrase }) => phrase))
  return colours.map((colour, at) => (named.has(at) ? colour : null))
}
