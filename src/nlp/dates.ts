import { abstractHeads } from './abstract-heads.js'
import { lemma } from './lexicon/lemma.js'
import { hasDigit } from './lexicon/units.js'
import type { TaggedToken } from './tags/tag.js'
import { isDeterminer, isNoun, wordAt } from './tags/tag-patterns.js'

/** Days of the week. */
export const weekdays: ReadonlySet<string> = new Set(
  'monday tuesday wednesday thursday friday saturday sunday'.split(' '),
)
const months = 'january february march april may june july august september october november december'
const days: ReadonlySet<string> = new Set([...weekdays, ...months.split(' ')])

/** Where the day and the hour of what is announced begin: "Farmers market | Saturday 9-2". `end` where none is. */
export function announcedEnd(tokens: readonly TaggedToken[], start: number, end: number): number {
  const last = wordAt(tokens, end - 1)
  // No digit stands behind 9.
  if (last.charCodeAt(0) > 57 && !days.has(last)) return end
  let at = end
  while (at > start && (hasDigit(wordAt(tokens, at - 1)) || days.has(wordAt(tokens, at - 1)))) at--
  // Theresa May is no month.
  if (wordAt(tokens, at) === 'may' && !hasDigit(wordAt(tokens, at + 1))) return end
  const isDay = at > start && at < end && days.has(wordAt(tokens, at))
  return isDay && !isDeterminer(tokens[at - 1]) && isNoun(tokens[at - 1]) ? at : end
}

/**
 * Whether a phrase counts times or doings: "October 31", "every Thursday 8pm", "Game 5", "Day 12". A good's name may
 * have a word for a time as well ("Spring 2019 Dress"), but more than that and a number.
 */
export function isDate(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  // "Lazy Sunday".
  if (end - start < 4 && weekdays.has(wordAt(tokens, end - 1))) return true
  let at = isDeterminer(tokens[start]) ? start + 1 : start
  if (!abstractHeads.has(lemma(wordAt(tokens, at))) || wordAt(tokens, at) === 'number') return false
  const first = at
  for (at++; at < end; at++)
    if (!hasDigit(wordAt(tokens, at)) && !abstractHeads.has(lemma(wordAt(tokens, at)))) return false
  return tokens.slice(first + 1, end + 1).some(({ word }) => hasDigit(word))
}
