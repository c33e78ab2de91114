import { announcedEnd } from './dates.js'
import { behindPicture, pictured } from './depictions.js'
import { isGoodsTitle } from './goods/goods-title.js'
import { nameEnd } from './goods/name-end.js'
import { keywordStarts } from './keywords.js'
import { lemma } from './lexicon/lemma.js'
import { makers } from './lexicon/makers.js'
import { measures } from './lexicon/measures.js'
import { isWare } from './lexicon/wares.js'
import { specified } from './specification.js'
import { joinsName } from './tags/joined-names.js'
import { opensName } from './tags/repair-names.js'
import type { TaggedToken } from './tags/tag.js'
import {
  beginsCapital,
  isAdjective,
  isAdverb,
  isDeterminer,
  isModifier,
  isNoun,
  joinLength,
  tagAt,
  wordAt,
} from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/**
 * The noun phrases of a caption, each by its first token with the token behind its last; in order, without
 * overlap: determiners, numerals and modifiers, then nouns; a possessor and what it owns; "a pair of" and
 * what there is a pair of. The tail ("on the left") is not part of it.
 */
export function phraseEnds(tokens: readonly TaggedToken[]): Map<number, number> {
  const ends = new Map<number, number>()
  const starts = keywordStarts(tokens)
  for (let at = 0; at < tokens.length; ) {
    const { end: behind, found } = nounPhrase(tokens, at, starts)
    const shown = found ? pictured(tokens, at, announcedEnd(tokens, at, behind)) : behind
    const end = found ? nameEnd(tokens, at, specified(tokens, at, shown)) : behind
    if (found) ends.set(behindPicture(tokens, at, end), end)
    at = end
  }
  return ends
}

/**
 * NP = NP1 ("'s" NP1 | "of" NP1, behind a measure)*; NP1 = determiner* modifiers noun+. Where none begins at
 * `start`, `end` is the next place that is worth a try: what was passed over would have needed the same noun.
 */
function nounPhrase(
  tokens: readonly TaggedToken[],
  start: number,
  starts: ReadonlySet<number>,
): { end: number; found: boolean } {
  let found: number | undefined
  for (let at = behindPartitive(tokens, start); ; ) {
    while (isDeterminer(tokens[at])) at++
    at = skipModifiers(tokens, at)
    const nouns = at
    while (isNoun(tokens[at]) && !(at > nouns && (opensName(tokens, at) || starts.has(at)))) at++
    if (at > nouns) at = joinedEnd(tokens, at) ?? at
    if (at === nouns)
      return found === undefined
        ? { end: Math.max(at, start + 1), found: false }
        : { end: found, found: true }
    found = at
    if (!joinsNounPhrase(tokens, at)) return { end: found, found: true }
    at++
  }
}

/** Of "one of the giraffes" and "most of its floor" the giraffes and the floor are what is spoken of. */
const partitives = new Set(
  'one two three four five six some many most several few all both each half rest'.split(' '),
)

/** The place behind "one of" where a determiner follows; `start` itself where it does not say so. */
function behindPartitive(tokens: readonly TaggedToken[], start: number): number {
  const at = isDeterminer(tokens[start]) && wordAt(tokens, start + 1) !== 'of' ? start + 1 : start
  const isPart = partitives.has(wordAt(tokens, at)) && wordAt(tokens, at + 1) === 'of'
  return isPart && /^(?:DT|PRP\$)$/.test(tagAt(tokens, at + 2)) ? at + 2 : start
}

/** "bright red", "red and white", "big, bad and ugly": the place behind the modifiers that begin at `at`. */
function skipModifiers(tokens: readonly TaggedToken[], from: number): number {
  let at = from
  for (;;) {
    // "the $18 burger".
    if (tagAt(tokens, at) === '$' && tagAt(tokens, at + 1) === 'CD') at += 2
    while (isAdverb(tokens[at]) && (isModifier(tokens[at + 1]) || isAdverb(tokens[at + 1]))) at++
    if (!isModifier(tokens[at])) return at
    at++
    const join = joinLength(tokens, at)
    const next = tokens[at + join]
    if (join > 0 && (isAdjective(next) || (isAdverb(next) && isAdjective(tokens[at + join + 1])))) at += join
  }
}

/** Things that are named by what is in them or what they are for. */
const holders = new Set(
  'set kit bundle combo pack duo machine maker grinder holder rack box stand shaker dispenser'.split(' '),
)
const sets = /^(?:set|kit|bundle|combo|pack|duo)$/

/**
 * The end of a compound of which two words are joined before its head: "salt & pepper grinder set", "Coffee and
 * Espresso Machine". Undefined where no noun ends at `at` or none is joined so.
 */
function joinedEnd(tokens: readonly TaggedToken[], at: number): number | undefined {
  if (tagAt(tokens, at) !== 'CC' || wordAt(tokens, at) === 'or') return undefined
  let end = at + 1
  while (isNoun(tokens[end]) && end < at + 5) end++
  const head = lemma(wordAt(tokens, end - 1))
  if (end - at >= 3 && isForTwo(tokens, at, head)) return end
  if (end - at < 3 || !holders.has(head) || holders.has(lemma(wordAt(tokens, at - 1)))) return undefined
  const isShort = wordAt(tokens, at) === '&' || tokens[at - 1]?.isName === true
  return isShort || sets.test(head) ? end : undefined
}

/** "Seresto Flea and Tick Collar": what a maker's ware is for, joined before it. */
const isForTwo = (tokens: readonly TaggedToken[], at: number, head: string) =>
  tokens[at - 1]?.isName === true &&
  isWare(head) &&
  !isWare(lemma(wordAt(tokens, at - 1))) &&
  visibility(lemma(wordAt(tokens, at - 1))) !== 'person' &&
  visibility(lemma(wordAt(tokens, at - 1))) !== 'unknown' &&
  isGoodsTitle(tokens) &&
  tokens
    .slice(Math.max(0, at - 12), at)
    .some(({ word, isName }) => makers.has(word) || (isName && visibility(lemma(word)) === 'unknown'))

/** Whether what is at `at`, behind a noun, ties the next noun phrase to this one. */
function joinsNounPhrase(tokens: readonly TaggedToken[], at: number): boolean {
  const { tag, word } = tokens[at] ?? { tag: '', word: '' }
  if (tag === 'POS' || joinsName(tokens, at)) return true
  // "the dogs' bowl", but not the quotation mark in "the 'dogs' are".
  if (/^['’]$/.test(word) && tokens[at]?.start === tokens[at - 1]?.end && /s$/.test(wordAt(tokens, at - 1))) {
    const next = isModifier(tokens[at + 1]) ? at + 2 : at + 1
    return isNoun(tokens[next]) && !isQuoted(tokens, at)
  }
  // "a side of fries".
  if (word === 'of' && wordAt(tokens, at - 1) === 'side')
    return /^an?$/.test(wordAt(tokens, at - 2)) && !isDeterminer(tokens[at + 1])
  // "Tower of London": a name that WordNet has.
  if (word === 'of' && beginsCapital(tokens[at - 1]) && beginsCapital(tokens[at + 1]))
    if (
      /^(?:artifact|location|object)$/.test(
        visibility(`${wordAt(tokens, at - 1)}_of_${wordAt(tokens, at + 1)}`) ?? '',
      )
    )
      return true
  return word === 'of' && measures.has(lemma(wordAt(tokens, at - 1)))
}

/** Whether an apostrophe at `at` closes a quotation that was opened not long before. */
function isQuoted(tokens: readonly TaggedToken[], at: number): boolean {
  return tokens.slice(Math.max(0, at - 8), at).some(({ text }) => /^['‘’]$/.test(text))
}
