import { abstractHeads } from './abstract-heads.js'
import { lemma } from './lexicon/lemma.js'
import { wordSet } from './lexicon/word-set.js'
import type { TaggedToken } from './tags/tag.js'
import { isDeterminer, isNoun, tagAt, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** How advice begins, and no caption of what is seen. */
const openers = wordSet(
  `never always don't dont be stay dream believe choose trust live laugh love follow keep sometimes because but do
  create collect breathe you life home if`,
)
/** Of these, what must follow. */
const followed: Readonly<Record<string, RegExp>> = {
  be: /^(?:yourself|the|you|kind|brave|bold|happy|strong|a|an|your|so|like|thankful|grateful|still|real|nice)$/,
  but: /^first$/,
  dream: /^(?:big|bigger|it|until|on|more)$/,
  choose: /^(?:joy|happiness|kindness|love|kind|to|happy|your|you|life)$/,
  trust: /^(?:me|the|your|yourself|in|no)$/,
  laugh: /^(?:often|more|at|until|and|,)$/,
  do: /^(?:what|more|not|it|one|small|good|the|your)$/,
  follow: /^your$/,
  keep: /^(?:calm|going|it|smiling|your|moving|on)$/,
  love: /^(?:is|yourself|wins|never|the|like|more|what|all|each)$/,
  home: /^is$/,
  life: /^(?:is|isn't|begins|happens|always|begins|goes|was|has)$/,
  live: /^(?:,|your|life|the|in|for|more|love|laugh|simply|fast|every)$/,
  stay: /^(?:wild|humble|strong|positive|true|curious|hungry|home|safe|calm|weird|hydrated)$/,
  you: /^(?:can|can't|cant|are|are|had|have|will|don't|don’t|only|never|must|were|were|do|deserve|got|may|miss|become)$/,
  if: /^(?:you|it|at|life|nothing)$/,
  create: /^(?:your|the|a|something)$/,
  collect: /^(?:moments|memories)$/,
}
/** Who speaks of something that is there. */
const present = /^(?:this|these|here|my|our|his|her|their|its|i|i'm|me|we|us|he|she)$/
/** "You can see a lake". */
const seeing = /^(?:see|notice|find|observe|spot)$/
/** What it is written on, or how that is called. */
const written = wordSet('quote quotes infographic illustration poster sign card print lettering')
/** A saying is not longer; no sentence is looked through further. */
const longest = 24

/**
 * Whether tokens from `start` stand in a sentence that only says how to live ("Life is short, buy the shoes"), or in
 * one that goes on from there with what to do. Nobody who says what is there begins so.
 */
export function isInSaying(tokens: readonly TaggedToken[], start: number): boolean {
  // "A man on a bench", which most captions begin like.
  if (isDeterminer(tokens[0]) && sentenceStart(tokens, start) === 0) return false
  let first = sentenceStart(tokens, start)
  // "Stay positive quote on ...": there the saying is over.
  if (isSaying(tokens, first)) return !tokens.slice(first, start).some(({ word }) => written.has(word))
  // "Kindness is free. Sprinkle that stuff everywhere!"
  if (first === 0 || wordAt(tokens, first - 1) !== '.' || !/^VBP?$/.test(tagAt(tokens, first))) return false
  if (isOfPresent(tokens, first)) return false
  first = sentenceStart(tokens, first - 2)
  return isSaying(tokens, first)
}

function isSaying(tokens: readonly TaggedToken[], first: number): boolean {
  // What is printed on a good was taken for that before.
  if (tagAt(tokens, first) === 'UH') return false
  const word = wordAt(tokens, first)
  const next = wordAt(tokens, first + 1)
  const opens =
    (openers.has(word) && (followed[word]?.test(next) ?? true)) ||
    (word === 'one' && next === 'does') ||
    (word === 'not' && next === 'all') ||
    (word === 'all' && /^(?:you|we|good|things)$/.test(next)) ||
    isIdeaThatIs(tokens, first)
  return opens && !isOfPresent(tokens, first)
}

/** "Kindness is free", but "Tennis is being played". */
function isIdeaThatIs(tokens: readonly TaggedToken[], first: number): boolean {
  if (!/^(?:is|are|isn't|aren't)$/.test(wordAt(tokens, first + 1)) || !isNoun(tokens[first])) return false
  const head = lemma(wordAt(tokens, first))
  if (!abstractHeads.has(head) && visibility(head) !== undefined) return false
  return (
    !/^(?:VB[GN])$/.test(tagAt(tokens, first + 2)) &&
    !/^(?:being|here|on|in|at)$/.test(wordAt(tokens, first + 2))
  )
}

/** Whether a sentence points at something, or names somebody. */
function isOfPresent(tokens: readonly TaggedToken[], first: number): boolean {
  for (let at = first; at < first + longest; at++) {
    const { word, isWord } = tokens[at] ?? { word: '', isWord: false }
    if (!isWord && ends.test(word)) return false
    if (present.test(word) || (seeing.test(word) && wordAt(tokens, first) === 'you')) return true
  }
  return true
}

const ends = /^(?:[.!?;|:]|$)/

function sentenceStart(tokens: readonly TaggedToken[], from: number): number {
  let at = Math.max(0, from)
  while (at > 0 && at > from - longest && !isEnd(tokens[at - 1])) at--
  return at
}

const isEnd = (token: TaggedToken | undefined) =>
  token !== undefined && !token.isWord && /^(?:[.!?;|:"“]|\p{Extended_Pictographic})/u.test(token.text)
