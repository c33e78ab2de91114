import { abstractHeads } from './abstract-heads.js'
import { lemma } from './lexicon/lemma.js'
import { nounSenses } from './lexicon/wordnet.js'
import { isNoise } from './noise.js'
import { isPlace } from './places.js'
import { isPurpose } from './purposes.js'
import type { TaggedToken } from './tags/tag.js'
import { isAdjective, isNoun, tagAt, wordAt } from './tags/tag-patterns.js'
import { compoundVisibility, visibleAs } from './tags/visibility.js'
import { isPictureOnly, isSpecification } from './thing-end.js'

/** Why a phrase is not worth grounding. */
export type LeftOut =
  | 'abstract_head'
  | 'relational_head'
  | 'depiction'
  | 'negated'
  | 'credit'
  | 'not_in_picture'
  | 'noise'
  /** Words that stand in quotation marks. */
  | 'quoted'
  /** A town, a state or a region by its name. */
  | 'place'
  /** What a good is said to be, behind its name: "128GB", "Navy Blue". */
  | 'specification'
  /** What a good is for: "for Women", "Christmas Gift". */
  | 'purpose'
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
  outside rear next area other rest lot space mid-air heart spot place row set`,
)
/** The picture itself. */
const depictions = list(
  `photo photograph photography image pic view scene shot close-up closeup selfie snapshot screenshot footage up
  clipart stock mockup`,
)
/** Things, unless it is said what is on them: "a painting of a cat" is the cat where a caption begins. */
const depicting = list(
  'picture painting drawing illustration sketch portrait poster cartoon print collage rendering silhouette graphic vector icon advertisement advert ad map chart diagram infographic artwork scene pattern',
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
  if (isPlace(tokens, start, end)) return 'place'
  if (isSpecification(tokens, start, end)) return 'specification'
  if (isPurpose(tokens, start, end)) return 'purpose'
  // "a no parking sign" is there to be seen.
  if ((wordAt(tokens, start) === 'no' && head !== 'sign') || before?.word === 'without') return 'negated'
  if (isQuoted(tokens, start, end)) return 'quoted'
  if (isPictureOnly(tokens, start, end)) return 'depiction'
  if (depictions.has(head) && !isFramed(tokens, start, end)) return 'depiction'
  if (depicting.has(head) && isDepiction(head, before, after)) return 'depiction'
  if (makers.has(head) && before?.word === 'by') return 'credit'
  if (head === 'frame' && before?.word === 'of' && relational.has(wordAt(tokens, start - 2)))
    return 'relational_head'
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
  // A season where it is one, and coils of wire.
  if (head === 'spring' && tagAt(tokens, end - 1) === 'NNS') return false
  if (head === 'number' && tagAt(tokens, end) === 'CD') return false
  if (/^play/.test(before) && end - start === 1 && isGame(head)) return true
  if (before === 'at' && /^(?:sunset|sunrise)$/.test(head)) return true
  if (before === 'during' || decade.test(wordAt(tokens, end - 1))) return true
  // "a game of poker", "standing in a line".
  if (before === 'of' && /^(?:game|match|round|sport)$/.test(of)) return true
  if (before === 'in' && head === 'line' && wordAt(tokens, end) !== 'of') return true
  if (!abstractHeads.has(head)) return false
  return end - start < 2 || compoundVisibility(wordAt(tokens, end - 2), head) === undefined
}

/** "playing football" is no ball. */
const isGame = (head: string) => nounSenses(head)[0]?.file === 'act'

/** Whether a picture in the caption is the picture that it is the caption of, or one that nobody sees. */
function isDepiction(head: string, before: TaggedToken | undefined, after: TaggedToken | undefined): boolean {
  const opens = before === undefined || !before.isWord || /^(?:is|are|at|in)$/.test(before.word)
  const tells =
    /^(?:of|showing|shows|depicting|featuring|from|taken|features|depicts|portrays|captures|displays)$/.test(
      after?.word ?? '',
    ) ||
    (/^ad/.test(head) && after?.word === 'for')
  if (opens && tells) return true
  return (
    head === 'picture' &&
    (tells || /^(?:for|taking|take|takes|took|taken|snapping|in|of)$/.test(before?.word ?? ''))
  )
}

/** A photograph in a frame is a thing on the wall. */
const isFramed = (tokens: readonly TaggedToken[], start: number, end: number) =>
  tokens.slice(start, end - 1).some(({ word }) => word === 'framed')

/** Quoted phrases are looked for no further away. */
const longestQuote = 16

/** Whether a phrase is of two words or more that stand in quotation marks: a slogan, a title, what is written. */
function isQuoted(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  let open = start - 1
  while (open >= Math.max(0, start - longestQuote) && !isMark(tokens[open])) open--
  const mark = tokens[open]
  if (!isMark(mark) || mark?.end !== tokens[open + 1]?.start || tokens[open - 1]?.end === mark?.start)
    return false
  let close = end
  while (close < Math.min(tokens.length, end + longestQuote) && !isMark(tokens[close])) close++
  return isMark(tokens[close]) && close - open > 2
}

const isMark = (token: TaggedToken | undefined) => /^["“”«»„]$/.test(token?.text ?? '')

/** "a street corner", "his back": what belongs to a thing is seen as one; "the right side" is only where. */
function isPart(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = end - start > 1 ? tokens[end - 2] : undefined
  // A place with cars or grass; "a lot" of how often something is done has no place.
  if (head === 'lot' && wordAt(tokens, end) !== 'of')
    return (
      isAdjective(before) ||
      isNoun(before) ||
      /^(?:in|on|across|through|near|at|around)$/.test(wordAt(tokens, start - 1))
    )
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
