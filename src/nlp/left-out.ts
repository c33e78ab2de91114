import { isCredit } from './credits.js'
import { isDate } from './dates.js'
import { isDepiction } from './depictions.js'
import { isGoodsTitle } from './goods/goods-title.js'
import { isPlatform, isTitleOfWork } from './goods/works.js'
import { isIdea } from './ideas.js'
import { soldThings } from './lexicon/goods-words.js'
import { lemma } from './lexicon/lemma.js'
import { startsCapital } from './lexicon/letter-case.js'
import { wordSet } from './lexicon/word-set.js'
import { isClubOfPlayers, isNamedEvent } from './named-events.js'
import { isNoise } from './noise.js'
import { isPlace } from './places.js'
import { isPurpose } from './purposes.js'
import { isInSaying } from './sayings.js'
import { isSpecification } from './specification.js'
import { isJoinedName } from './tags/joined-names.js'
import type { TaggedToken } from './tags/tag.js'
import { beginsCapital, isAdjective, isDeterminer, isNoun, tagAt, wordAt } from './tags/tag-patterns.js'
import { isNamed, visibleAs } from './tags/visibility.js'

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

/**
 * Say where or how much, not what, unless another noun makes them a thing: "a street corner", "a parking
 * lot".
 */
const relational = wordSet(
  `top bottom left right side front back middle center centre corner edge end half part background foreground inside
  outside rear next area other rest lot space mid-air heart spot place row set`,
)

/** Why the noun phrase of tokens `start` to `end` is left out, or undefined to keep it. */
export function leftOut(tokens: readonly TaggedToken[], start: number, end: number): LeftOut | undefined {
  const head = lemma(wordAt(tokens, end - 1))
  const before = tokens[start - 1]
  if (before?.text === '(' && isPlatform(tokens, start)) return 'specification'
  if (isPurpose(tokens, start, end)) return 'purpose'
  if (isNoise(tokens, start, end)) return 'noise'
  if (isPlace(tokens, start, end)) return 'place'
  if (isJoinedName(tokens, start, end)) return undefined
  if (isCredit(tokens, start, end, head) || isClubOfPlayers(tokens, start, end)) return 'credit'
  if (isSpecification(tokens, start, end)) return 'specification'
  // "a no parking sign" is there to be seen.
  if (
    (wordAt(tokens, start) === 'no' && head !== 'sign' && !isNoName(tokens, start, end)) ||
    before?.word === 'without'
  )
    return 'negated'
  if (isQuoted(tokens, start, end) || isWork(tokens, start) || isTitleOfWork(tokens, start, end))
    return 'quoted'
  if (isInSaying(tokens, start)) return 'quoted'
  if (isDepiction(tokens, start, end)) return 'depiction'
  if (before?.word === 'off' && head === 'coast') return 'relational_head'
  if (head === 'frame' && before?.word === 'of' && relational.has(wordAt(tokens, start - 2)))
    return 'relational_head'
  // "stars & hearts".
  if (
    relational.has(head) &&
    !(head === 'heart' && wordAt(tokens, end - 1) === 'hearts') &&
    !isPart(tokens, start, end, head)
  )
    return 'relational_head'
  if (isAway(tokens, start, end, head) || isCalled(tokens, start, head)) return 'not_in_picture'
  if (isDate(tokens, start, end)) return 'abstract_head'
  if (isNamedEvent(tokens, start, end)) return 'abstract_head'
  if (isNamed(tokens, start, end) || (soldThings.has(head) && start === 0 && isGoodsTitle(tokens)))
    return undefined
  if (isIdea(tokens, start, end, head) || visibleAs(tokens, start, end) === undefined) return 'abstract_head'
  return undefined
}

/** "No Pull Vest": part of a name in a title. */
const isNoName = (tokens: readonly TaggedToken[], start: number, end: number) =>
  end - start > 2 &&
  tokens[start - 1]?.isWord === true &&
  tokens.slice(start, end).every(({ text }) => startsCapital(text))

/** The camera that somebody looks at takes the picture. */
function isAway(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  if (head !== 'camera' || end - start > 2) return false
  if (!/^(?:at|for|to|toward|towards|into|on)$/.test(wordAt(tokens, start - 1))) return false
  return tokens
    .slice(Math.max(0, start - 4), start - 1)
    .some(({ word }) => /^(?:look|smil|pos|star|fac|gaz|glanc|peer|wav|mug)/.test(word))
}

const calls = wordSet('tag mention invite')

/** "Tag a friend", "mention 3 friends": whom a post asks its reader to call. */
const isCalled = (tokens: readonly TaggedToken[], start: number, head: string) =>
  calls.has(wordAt(tokens, start - 1)) &&
  /^(?:friend|bff|bestie|mom|mum|dad|sister|brother|buddy|mate|person|partner)$/.test(head) &&
  !isNoun(tokens[start - 2]) &&
  !isDeterminer(tokens[start - 2])

/** "a scene from The Long Way Home", "the premiere of Spider-Man: No Way Home": words of a work's title. */
function isWork(tokens: readonly TaggedToken[], start: number): boolean {
  if (!/^[\p{Lu}\p{Nd}]/u.test(tokens[start]?.text ?? '')) return false
  for (let at = start - 1; at >= Math.max(1, start - longestTitle); at--) {
    const { text = '', word = '' } = tokens[at] ?? {}
    if (
      /^(?:of|from)$/.test(word) &&
      /^(?:scene|still|premiere|screening|episode)s?$/.test(wordAt(tokens, at - 1))
    )
      return true
    if (!/^[\p{Lu}\p{Nd}:&]/u.test(text) && !/^(?:of|the|and|in|a)$/.test(word)) return false
  }
  return false
}

/** Tokens that the title of a work is looked through for. */
const longestTitle = 8

/** Quoted phrases are looked for no further away. */
const longestQuote = 16

/** Whether a phrase is of two words or more that stand in quotation marks: a slogan, a title, what is written. */
function isQuoted(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  let open = start - 1
  while (open >= Math.max(0, start - longestQuote) && !isMark(tokens[open])) open--
  const mark = tokens[open]
  if (!isMark(mark) || mark?.end !== tokens[open + 1]?.start || tokens[open - 1]?.end === mark?.start)
    return isSingleQuoted(tokens, start, end)
  let close = end
  while (close < Math.min(tokens.length, end + longestQuote) && !isMark(tokens[close])) close++
  return isMark(tokens[close]) && (close - open > 2 || beginsCapital(tokens[start]))
}

/** The same in single quotation marks, behind "reading" or "the words"; an apostrophe opens nothing. */
function isSingleQuoted(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  let open = start - 1
  while (open >= Math.max(0, start - longestQuote) && !isSingle(tokens[open])) open--
  if (
    open < 1 ||
    tokens[open]?.end !== tokens[open + 1]?.start ||
    tokens[open - 1]?.end === tokens[open]?.start
  )
    return false
  if (!/^(?:read|say|spell|word|caption|titled|called|slogan|text|message|:)/.test(wordAt(tokens, open - 1)))
    return false
  let close = end
  while (close < Math.min(tokens.length, end + longestQuote) && !isSingle(tokens[close])) close++
  return isSingle(tokens[close])
}

const isSingle = (token: TaggedToken | undefined) => /^['‘’]$/.test(token?.text ?? '')

const isMark = (token: TaggedToken | undefined) => token?.text.length === 1 && '"“”«»„'.includes(token.text)

/** "a street corner", "his back": what belongs to a thing is seen as one; "the right side" is only where. */
function isPart(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const before = end - start > 1 ? tokens[end - 2] : undefined
  // A place with cars or grass; "a lot" of how often something is done has no place.
  if (head === 'space' && /^(?:copy|free|blank|white|negative)$/.test(before?.word ?? '')) return false
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
