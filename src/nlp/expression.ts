import { lemma } from './lexicon/lemma.js'
import { wordSet } from './lexicon/word-set.js'
import type { TaggedToken } from './tags/tag.js'
import { isAdverb, isVerb, maxLookback, tagAt, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** Words that open a clause, whatever tag they have. */
const conjunctions = wordSet(
  'while as because that if whether although though since until unless so than when where before after like except',
)
const pronouns = wordSet('it them him her itself himself herself themselves')
/** Say where along with "of": "in front of a house", "on top of it". */
const places = wordSet('front top side back middle center centre edge bottom inside outside corner end')
/** Prepositions that the tagger often takes for something else. */
const ways = wordSet('past around along across over through down up off')
/**
 * Participles that are true of things; any other participle behind a thing tells of the person who has it.
 */
const states = wordSet(
  `sitting standing hanging lying laying leaning resting showing containing featuring facing overlooking covering
  floating flying growing sticking being`,
)
const actors = /^(?:person|animal|group|tops)$/
/** Parts of animals: WordNet files them under animals, but they do nothing themselves. */
const parts = wordSet(
  'beak horn antler tail wing paw fur feather mane trunk tusk hoof shell fin snout claw hide',
)
/** Limits a tail, so that every caption takes time in proportion to its length. */
const maxTailTokens = 30

/** Noun phrases by their first token: where each ends. */
export type PhraseEnds = ReadonlyMap<number, number>

/**
 * The end of the referring expression of a noun phrase: the token behind the prepositional and participial
 * tail that belongs to it, as in "a man in a red coat holding a bat". The method is GRIT's (Peng et al.
 * 2023); GRIT walks a dependency tree, here the tail is found from tags. How much a phrase takes depends on
 * what it is in its clause:
 *
 * - The tail never goes over a conjunction.
 * - The subject of a clause takes every tail up to its verb.
 * - A phrase behind a preposition takes what follows it. A participle of doing goes to it only if it can
 *   act: in "a man in a coat sitting", the coat does not sit.
 * - The object of a verb takes only what cannot belong to the verb: "of", "with", and participles.
 *
 * @param start first token of the phrase
 * @param end token behind its last
 * @param ends all phrases of the caption
 */
export function expressionEnd(
  tokens: readonly TaggedToken[],
  start: number,
  end: number,
  ends: PhraseEnds,
): number {
  const before = verbBefore(tokens, wholeBefore(tokens, start, ends))
  const isObject = isVerb(before) && !isCopula(before)
  const isSubject = !isObject && !/^(?:IN|TO|CC|,)$/.test(before?.tag ?? '')
  const head = lemma(wordAt(tokens, end - 1))
  const acts = actors.test(visibility(head) ?? '') && !parts.has(head)
  const limit = end + maxTailTokens
  let at = end
  for (;;) {
    const takes = !isObject || /^(?:of|with)$/.test(wordAt(tokens, at))
    const next =
      (takes ? prepositional(tokens, at, ends) : undefined) ??
      participial(
        tokens,
        at,
        ends,
        isSubject || acts,
        !/^(?:in|with|by|for|on|at|and|or|&|,)$/.test(before?.word ?? ''),
      )
    if (next === undefined || next > limit) return at
    at = next
  }
}

/** "a cup of coffee": what governs the cup governs the coffee too. */
function wholeBefore(tokens: readonly TaggedToken[], start: number, ends: PhraseEnds): number {
  if (wordAt(tokens, start - 1) !== 'of') return start
  for (let at = start - 2; at >= Math.max(0, start - maxLookback); at--) {
    if (ends.get(at) === start - 1) return isVerb(verbBefore(tokens, at)) ? at : start
  }
  return start
}

/** The word before the phrase, over adverbs and particles: "holding up a bat". */
function verbBefore(tokens: readonly TaggedToken[], start: number): TaggedToken | undefined {
  let at = start - 1
  while (at > 0 && start - at < 4 && (isAdverb(tokens[at]) || tagAt(tokens, at) === 'RP')) at--
  return tokens[at]
}

const isCopula = (token: TaggedToken | undefined) =>
  /^(?:is|are|was|were|be|being|been)$/.test(token?.word ?? '')

/** "in a red coat", "next to it", "in front of a house": the token behind it, or undefined. */
function prepositional(tokens: readonly TaggedToken[], from: number, ends: PhraseEnds): number | undefined {
  let at = from
  const { word, tag } = tokens[at] ?? { word: '', tag: '' }
  const pair = `${word} ${wordAt(tokens, at + 1)}`
  if (/^(?:next to|close to|full of)$/.test(pair)) at += 2
  else if ((tag === 'IN' || ways.has(word)) && !conjunctions.has(word)) at++
  else return undefined
  while (at - from < 4 && /^(?:IN|TO)$/.test(tagAt(tokens, at)) && !conjunctions.has(wordAt(tokens, at))) at++
  // "on top of a table", whatever the tagger makes of "top".
  if (places.has(wordAt(tokens, at)) && wordAt(tokens, at + 1) === 'of' && !ends.has(at)) at += 2
  const end = object(tokens, at, ends)
  if (end === undefined || wordAt(tokens, end) !== 'of') return end
  // "on top of a table": the place alone says nothing.
  return places.has(wordAt(tokens, end - 1)) ? (object(tokens, end + 1, ends) ?? end) : end
}

function object(tokens: readonly TaggedToken[], at: number, ends: PhraseEnds): number | undefined {
  return ends.get(at) ?? (pronouns.has(wordAt(tokens, at)) ? at + 1 : undefined)
}

/** "holding a bat", "parked near a house", "waiting to cross a street": the token behind it, or undefined. */
function participial(
  tokens: readonly TaggedToken[],
  from: number,
  ends: PhraseEnds,
  takesAny: boolean,
  takesStates: boolean,
): number | undefined {
  const verb = tokens[from]
  if (
    !verb ||
    !(verb.tag === 'VBG' ? takesAny || (takesStates && states.has(verb.word)) : isPassive(tokens, from))
  )
    return undefined
  let at = from + 1
  const skipAdverbs = () => {
    while (
      at - from < 5 &&
      (isAdverb(tokens[at]) || tagAt(tokens, at) === 'RP') &&
      wordAt(tokens, at) !== 'next'
    )
      at++
  }
  skipAdverbs()
  if (tagAt(tokens, at) === 'TO' && tagAt(tokens, at + 1) === 'VB') at += 2
  at = object(tokens, at, ends) ?? at
  skipAdverbs()
  for (let steps = 0; steps < 4; steps++) {
    const next = prepositional(tokens, at, ends)
    if (next === undefined) break
    at = next
  }
  return at
}

/**
 * A past participle, or what the tagger takes for the past where no object follows: "a car parked near a
 * house".
 */
function isPassive(tokens: readonly TaggedToken[], at: number): boolean {
  if (tagAt(tokens, at) === 'VBN') return true
  return (
    tagAt(tokens, at) === 'VBD' &&
    /ed$/.test(wordAt(tokens, at)) &&
    /^(?:IN|TO|RB|RP|[.,])?$/.test(tagAt(tokens, at + 1))
  )
}
