import { lemma } from './lexicon/lemma.js'
import { startsCapital } from './lexicon/letter-case.js'
import { makers } from './lexicon/makers.js'
import { hasDigit } from './lexicon/units.js'
import { wordSet } from './lexicon/word-set.js'
import { isNamedLocation } from './lexicon/wordnet.js'
import { landmarks } from './places.js'
import type { TaggedToken } from './tags/tag.js'
import { amongSmall, isDeterminer, isPlural, tagAt, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

const artists = wordSet('artist photographer painter designer illustrator author architect')
/** Agencies that sell pictures of the news. */
const agencies = wordSet(
  `reuters afp ap epa pa upi xinhua tass ansa dpa anp efe lusa tt bloomberg rex getty alamy shutterstock zuma splash
  imago afp/getty newscom backgrid wireimage filmmagic`,
)
/** What a credit begins with. */
const credits = wordSet(
  'photo photos photograph photographs photography image images picture pictures pic credit credits source courtesy',
)
/** What publishers, offices and firms are called by. */
const publishers = wordSet(
  `office department police council news times press post herald gazette tribune magazine journal agency association
  society foundation institute inc ltd llc co company media network tv radio blog shop store studio studios`,
)
/** A credit is not longer. */
const longestCredit = 12

/** Whether the noun phrase of tokens `start` to `end` names who made, sells, published or took what is seen. */
export function isCredit(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  // "by J.R.R. Tolkien".
  if (wordAt(tokens, start - 1) === 'by' && /^(?:\p{Lu}\.)+/u.test(tokens[start]?.text ?? '')) return true
  if (artists.has(head) && wordAt(tokens, start - 1) === 'by') return true
  // "according to the Ukrainian army".
  if (wordAt(tokens, start - 1) === 'to' && wordAt(tokens, start - 2) === 'according') return true
  return (
    isAuthor(tokens, start, end) ||
    isMakerAlone(tokens, start, end) ||
    isSource(tokens, start, end) ||
    isClub(tokens, start, end) ||
    isFirmOf(tokens, start, end) ||
    isOfMatch(tokens, start, end)
  )
}

/** "Leather Wallet by Gucci", "pizza from Domino's": a name that no class of things ends. */
function isMakerAlone(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (isHeading(tokens, start, end)) return true
  const before = wordAt(tokens, start - 1)
  if (!/^(?:by|from|via|for|against|vs)$/.test(before) || isDeterminer(tokens[start])) return false
  if (landmarks.has(wordAt(tokens, start))) return false
  const isNamed = tokens.slice(start, end).every(({ text }) => startsCapital(text))
  const isModel = tokens.slice(start, end).some(({ word }) => makers.has(word) || hasDigit(word))
  if (isNamed && /^(?:against|vs)$/.test(before)) return !isModel && !isPlayer(tokens, start, end)
  // "flanked by Roger Federer", who is there.
  // "issued by Kent Police".
  if (before === 'by' && isNamed && publishers.has(wordAt(tokens, end - 1))) return true
  if (before === 'by' && isDoneTo(tokens[start - 2])) return false
  // "a red coat by Catherine Walker".
  if (isNamed && before === 'by' && end - start > 1 && isPersonsName(tokens, start, end)) return true
  return isNamed && (visibility(lemma(wordAt(tokens, end - 1))) === 'unknown' || tagAt(tokens, end) === 'POS')
}

/** "against Novak Djokovic": no town's and no club's name. */
const isPlayer = (tokens: readonly TaggedToken[], start: number, end: number) =>
  end - start > 1 &&
  tokens
    .slice(start, end)
    .every(({ word }) => /^(?:person|unknown)$/.test(visibility(word) ?? '') && !isNamedLocation(word, false))

const isPersonsName = (tokens: readonly TaggedToken[], start: number, end: number) =>
  [start, end - 1].some((at) => /^(?:person|unknown)$/.test(visibility(wordAt(tokens, at)) ?? ''))

/** What makers do to what they make. */
const making = wordSet(
  `designed made created painted drawn written photographed directed built produced sold taken captured posted shared
  crafted handmade issued released provided illustrated sculpted knitted baked cooked published sponsored presented
  recorded composed shot styled invented`,
)
/** "hit by", "flanked by": done by somebody who may be in the picture. */
const isDoneTo = (token: TaggedToken | undefined) =>
  token !== undefined && /^VB[DN]$/.test(token.tag) && !making.has(token.word)

/** Who belongs to a firm or leads it. */
const members = wordSet(
  'founder co-founder ceo chairman chairwoman boss owner employee spokesman spokeswoman coach cto cfo',
)

/** "... is already taken." - Oscar Wilde: who said what stands in quotation marks. */
const isAuthor = (tokens: readonly TaggedToken[], start: number, end: number) =>
  tokens[start - 1]?.isWord === false &&
  /^[-–—―~]$/.test(wordAt(tokens, start - 1)) &&
  /^["”»]$/.test(wordAt(tokens, start - 2)) &&
  !tokens[end]?.isWord &&
  isAllCapital(tokens, start, end)

/** "the match between Ajax and Chelsea": clubs, and nobody's names. */
function isOfMatch(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const before = wordAt(tokens, start - 1)
  if (before !== 'between' && before !== 'and') return false
  let at = start - 1
  while (at > start - 6 && at > 0 && wordAt(tokens, at) !== 'between') at--
  return (
    wordAt(tokens, at) === 'between' &&
    /^(?:match|game|final|semi-final|semifinal|derby|clash|fixture)$/.test(wordAt(tokens, at - 1)) &&
    isAllCapital(tokens, start, end) &&
    !isPlayer(tokens, start, end)
  )
}

/** "co-founder of Microsoft". */
const isFirmOf = (tokens: readonly TaggedToken[], start: number, end: number) =>
  wordAt(tokens, start - 1) === 'of' &&
  members.has(lemma(wordAt(tokens, start - 2))) &&
  isAllCapital(tokens, start, end)

/** "KONG - Classic Dog Toy", "Airbnb: ...", "... | Delish": a name of one word, apart from the title. */
function isHeading(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const token = tokens[start]
  if (end - start !== 1 || !token || !startsCapital(token.text)) return false
  if (!makers.has(token.word) && visibility(lemma(token.word)) !== 'unknown') return false
  const opens = start === 0 && /^[-–—|:]$/.test(wordAt(tokens, end)) && end + 1 < tokens.length
  return opens || (end === tokens.length && /^[-–—|]$/.test(wordAt(tokens, start - 1)))
}

/** "Photograph: Jane Doe/AFP", "Photo by Jane Doe", "(Reuters)", "... | Lee County Sheriff's Office": the source. */
function isSource(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (!isAllCapital(tokens, start, end)) return false
  if (start === 0) return wordAt(tokens, 0) === 'file' && /^[-–—:]$/.test(wordAt(tokens, end))
  const before = wordAt(tokens, start - 1)
  const after = wordAt(tokens, end)
  if (tokens.slice(start, end).some(({ word }) => agencies.has(word)) && !tokens[start - 1]?.isWord)
    return true
  const ends = end === tokens.length || after === ')'
  if (ends && /^[|(–—-]$/.test(before) && publishers.has(wordAt(tokens, end - 1))) return true
  // What stands in brackets is another name where it is a thing: "Kinkaku-ji (Golden Pavilion)".
  if ((before === '(' && after === ')') || (before === '[' && after === ']'))
    return visibility(lemma(wordAt(tokens, end - 1))) === 'unknown'
  if (/^[(/]$/.test(before) && isCreditList(tokens, start)) return true
  if (before === '(' && (credits.has(after) || after === 'via')) return true
  return isBehindCredit(tokens, start)
}

/** "(Jordan Strauss/Invision/AP)": names between slashes of which the last is an agency. */
function isCreditList(tokens: readonly TaggedToken[], start: number): boolean {
  for (let at = start; at < start + longestCredit; at++) {
    if (wordAt(tokens, at) === ')')
      return wordAt(tokens, at - 2) === '/' && agencies.has(wordAt(tokens, at - 1))
    if (!/^(?:\p{Lu}.*|\/|via|\.)$/u.test(tokens[at]?.text ?? '')) return false
  }
  return false
}

/** Whether a credit's first word comes before, and only names between: "(AP Photo/Matt Rourke)". */
function isBehindCredit(tokens: readonly TaggedToken[], start: number): boolean {
  for (let at = start - 1; at >= Math.max(0, start - longestCredit); at--) {
    const { word, text, isWord } = tokens[at] as TaggedToken
    if (credits.has(word) || agencies.has(word))
      return /^(?::|by|©|\/)$/.test(wordAt(tokens, at + 1)) && !startsCapital(wordAt(tokens, at - 1))
    if (isWord ? !(startsCapital(text) || word === 'by') : !/^[:/,.&©]$/.test(text)) return false
  }
  return false
}

/** "against the Saints", "of the Tampa Bay Buccaneers", "for Spurs": a club that plays, by a plural. */
function isClub(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (/^an?$/.test(wordAt(tokens, start)) || !isPlural(tokens[end - 1]) || !amongSmall(tokens, start))
    return false
  const first = isDeterminer(tokens[start]) && end - start > 1 ? start + 1 : start
  if (!isAllCapital(tokens, first, end)) return false
  const before = wordAt(tokens, start - 1)
  // "a view of the Alps", "of the Rocky Mountains".
  if (before === 'of' && visibility(lemma(wordAt(tokens, end - 1))) === 'object') return false
  return /^(?:against|vs|of|for)$/.test(before)
}

const isAllCapital = (tokens: readonly TaggedToken[], start: number, end: number) =>
  tokens.slice(start, end).every(({ text, tag }) => startsCapital(text) || tag === 'POS')
