import { lemma } from './lexicon/lemma.js'
import { wordSet } from './lexicon/word-set.js'
import type { TaggedToken } from './tags/tag.js'
import { beginsCapital, isDeterminer, isPlural, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** What is held, by the last word of its name: "the US Open", "the World Cup". */
const events = wordSet(
  `award oscar emmy grammy bafta cup open prix league olympics paralympics marathon biennale biennial expo fest con
  comic-con championship games finals playoffs masters classic slam wimbledon coachella`,
)
/** Who acts, by the last word of a name, or by the one in front of its "of". */
const bodies = wordSet(
  `organization organisation agency ministry committee commission council association federation union department
  government administration authority bureau corporation corp confederation foundation alliance coalition fund nations
  army navy force guard senate congress parliament assembly republicans democrats`,
)
const seen = /^(?:artifact|object|location|plant|animal|food)$/

/**
 * Whether the noun phrase of tokens `start` to `end` is what is held or who acts, by a name in capitals within a
 * sentence: "the Grammy Awards", "the World Health Organization", "the Ministry of Health".
 */
export function isNamedEvent(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (!beginsCapital(tokens[end - 1])) return false
  const first = firstOfName(tokens, start, end)
  if (first === undefined) return false
  const last = lemma(wordAt(tokens, end - 1))
  // "Women's World Cup: ...".
  if (first === start)
    return (
      (/^(?:at|during)$/.test(wordAt(tokens, start - 1)) || (start === 0 && wordAt(tokens, end) === ':')) &&
      isEvent(tokens, start, end)
    )
  return isEvent(tokens, first, end) || (end - first > 1 && bodies.has(last)) || isBodyOf(tokens, first, end)
}

const isEvent = (tokens: readonly TaggedToken[], first: number, end: number) => {
  const last = wordAt(tokens, end - 1)
  // "the Africa Cup of Nations".
  if (last === 'nations') return wordAt(tokens, end - 3) === 'cup'
  // The Hollywood Bowl is a building.
  if (last === 'bowl') return wordAt(tokens, end - 2) === 'super'
  if (!events.has(last) && !events.has(lemma(last))) return false
  return (
    end - first > 1 ||
    /^(?:olympics|paralympics|oscars|emmys|grammys|baftas|wimbledon|coachella|comic-con)$/.test(last)
  )
}

/** "the Ministry of Health", and no building of it. */
const isBodyOf = (tokens: readonly TaggedToken[], first: number, end: number) =>
  bodies.has(wordAt(tokens, first)) &&
  wordAt(tokens, first + 1) === 'of' &&
  !seen.test(visibility(lemma(wordAt(tokens, end - 1))) ?? '')

/** Where a name in capitals begins, behind "the" in small letters; undefined where the phrase is none. */
function firstOfName(tokens: readonly TaggedToken[], start: number, end: number): number | undefined {
  const first = tokens[start]?.text === 'the' ? start + 1 : start
  if (first >= end || isDeterminer(tokens[first])) return undefined
  for (let at = first; at < end; at++) {
    const { text = '', word = '', tag = '' } = tokens[at] ?? {}
    if (!/^[\p{Lu}\p{Nd}]/u.test(text) && word !== 'of' && word !== 'and' && tag !== 'POS') return undefined
  }
  return first
}

/** "of the Tampa Bay Buccaneers": a club behind a person, by a plural that names nothing to be seen. */
export function isClubOfPlayers(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (!isPlural(tokens[end - 1]) || wordAt(tokens, start - 1) !== 'of') return false
  const first = firstOfName(tokens, start, end)
  return (
    first === start + 1 &&
    end - first > 1 &&
    (beginsCapital(tokens[start - 2]) || /^\d/.test(wordAt(tokens, start - 2))) &&
    !seen.test(visibility(lemma(wordAt(tokens, end - 1))) ?? '')
  )
}
