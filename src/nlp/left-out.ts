import { abstractHeads } from './abstract-heads.js'
import { lemma } from './lexicon/lemma.js'
import { isNoise } from './noise.js'
import type { TaggedToken } from './tags/tag.js'
import { isNoun, tagAt, wordAt } from './tags/tag-patterns.js'
import { compoundVisibility, visibleAs } from './tags/visibility.js'

/** Why a phrase is not worth grounding. */
export type LeftOut =
  | 'abstract_head'
  | 'relational_head'
  | 'depiction'
  | 'negated'
  | 'credit'
  | 'not_in_picture'
  | 'noise'
  /** Of n-grams. */
  | 'stop_words'
  | 'generic'
  /** Of the configuration. */
  | 'too_long'
  | 'too_many'

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/**
 * Say where or how much, not what, unless another noun makes them a thing: "a street corner", "a parking
 * lot".
 */
const relational = list(
  `top bottom left right side front back middle center centre corner edge end half part background foreground inside
  outside rear next area other rest lot space spot place row set`,
)
/** The picture itself. */
const depictions = list(
  `photo photograph photography image pic view scene shot close-up closeup selfie snapshot screenshot footage up
  wallpaper clipart stock`,
)
/** Things, unless it is said what is on them: "a painting of a cat" is the cat where a caption begins. */
const depicting = list(
  'picture painting drawing illustration sketch portrait poster cartoon print collage rendering silhouette graphic vector icon',
)
const makers = list('artist photographer painter designer illustrator author architect')

/** "the 1960s", "the seventies". */
const decade = /^(?:\d+'?s|(?:twen|thir|for|fif|six|seven|eigh|nine)ties)$/

/** Said of how a thing is, with a preposition before and no determiner. */
const idioms = list(
  `on-display at-home at-work in-line in-flight in-use in-place in-motion on-fire at-rest on-board at-bat in-stock
  by-hand in-action on-guard in-case on-foot at-play in-focus`,
)

/** Why the noun phrase of tokens `start` to `end` is left out, or undefined to keep it. */
export function leftOut(tokens: readonly TaggedToken[], start: number, end: number): LeftOut | undefined {
  const head = lemma(wordAt(tokens, end - 1))
  const before = tokens[start - 1]
  const after = tokens[end]
  if (end - start === 1 && idioms.has(`${before?.word}-${head}`)) return 'abstract_head'
  if (isNoise(tokens, start, end)) return 'noise'
  // "a no parking sign" is there to be seen.
  if ((wordAt(tokens, start) === 'no' && head !== 'sign') || before?.word === 'without') return 'negated'
  if (depictions.has(head) || (depicting.has(head) && isDepiction(head, before, after))) return 'depiction'
  if (makers.has(head) && before?.word === 'by') return 'credit'
  if (relational.has(head) && !isPart(tokens, start, end, head)) return 'relational_head'
  if (isAway(tokens, start, end, head)) return 'not_in_picture'
  if (isIdea(tokens, start, end, head) || visibleAs(tokens, start, end) === undefined) return 'abstract_head'
  return undefined
}

/** The camera that somebody looks at takes the picture. */
function isAway(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  if (head !== 'camera' || end - start > 2) return false
  if (!/^(?:at|for|to|toward|towards|into|on)$/.test(wordAt(tokens, start - 1))) return false
  return tokens
    .slice(Math.max(0, start - 4), start - 1)
    .some(({ word }) => /^(?:look|smil|pos|star|fac|gaz|glanc|peer|wav|mug)/.test(word))
}

/** Times, doings and ideas, unless the compound that they end is a thing. */
function isIdea(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = wordAt(tokens, start - 1)
  const of = wordAt(tokens, start - 2)
  if (before === 'during' || decade.test(wordAt(tokens, end - 1))) return true
  // "a game of poker", "standing in a line".
  if (before === 'of' && /^(?:game|match|round|sport)$/.test(of)) return true
  if (before === 'in' && head === 'line' && wordAt(tokens, end) !== 'of') return true
  if (!abstractHeads.has(head)) return false
  return end - start < 2 || compoundVisibility(wordAt(tokens, end - 2), head) === undefined
}

/** Whether a picture in the caption is the picture that it is the caption of, or one that nobody sees. */
function isDepiction(head: string, before: TaggedToken | undefined, after: TaggedToken | undefined): boolean {
  const opens = before === undefined || !before.isWord || /^(?:is|are|at|in)$/.test(before.word)
  const tells = /^(?:of|showing|shows|depicting|featuring|from|taken)$/.test(after?.word ?? '')
  if (opens && tells) return true
  return (
    head === 'picture' &&
    (tells || /^(?:for|taking|take|takes|took|taken|snapping|in|of)$/.test(before?.word ?? ''))
  )
}

/** "a street corner", "his back": what belongs to a thing is seen as one; "the right side" is only where. */
function isPart(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = end - start > 1 ? tokens[end - 2] : undefined
  // What somebody wears.
  if (
    head === 'top' &&
    wordAt(tokens, end) !== 'of' &&
    /^(?:a|this|her|his|their)$/.test(wordAt(tokens, start))
  )
    return true
  if (head === 'back') return tagAt(tokens, start) === 'PRP$' || before?.tag === 'POS'
  return before !== undefined && isNoun(before) && !relational.has(lemma(before.word))
}
