import { lemma } from '../lexicon/lemma.js'
import { tagsOf } from '../lexicon/lexicon.js'
import { tradeColours } from '../lexicon/qualities.js'
import { hasDigit, isUnit } from '../lexicon/units.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import type { TaggedToken } from './tag.js'
import { amongSmall, isVerb, tagAt, textAt, wordAt, wordOf } from './tag-patterns.js'
import { visibility } from './visibility.js'

/** Words of which no name is made, capital or not. */
const functionWords = wordSet(
  `a an the this that these those his her its their my your our some any all both each every no not
  of in on at by to from with without for as into onto over under up down near behind beside between through about
  around along across after before during inside outside off above below against upon via per like than and or but
  nor if so is are was were be been being am has have had do does did can could will would may might must shall should
  it he she they we you i who whom whose which what when where why how there here while because`,
)
/** Small words inside names: "Rio de Janeiro", "Vincent van Gogh". */
const particles = wordSet('de la del di da do dos von van der den du le el al bin')
export const roles = wordSet(
  'forward guard captain midfielder striker keeper coach defender star actor singer president minister',
)
/** A name is not longer; it bounds what is looked at. */
const longestName = 40

/** Whether a word begins with a capital, or has one near its beginning: "iPhone". */
export const isCapital = (token: TaggedToken | undefined) =>
  token !== undefined && !isAllSmall(token) && /^\p{Lu}|^\p{Ll}{1,2}\p{Lu}/u.test(token.text)

/** Most words are: Unicode need not be asked. */
const isAllSmall = ({ text, word }: TaggedToken) => text === word && /^[a-z]/.test(text)

export const things = /^(?:animal|artifact|food|listed|person|plant|object|body)$/
export const isThing = (word: string) => things.test(visibility(lemma(word)) ?? '')
export const isSeen = (word: string) => (visibility(lemma(word)) ?? 'unknown') !== 'unknown'

/** The end of the run of capitals, numbers and what ties them that begins at `from`; `from` where none does. */
export function runEnd(tokens: readonly TaggedToken[], from: number): number {
  let end = from
  for (let at = from; at < Math.min(tokens.length, from + longestName); at++) {
    const token = tokens[at]
    if (isPart(token) || (end > from && isSurname(tokens, at)) || (at === from && isFirstName(tokens, at)))
      end = at + 1
    else if (end > from && token?.text === '"') {
      const close = quoteEnd(tokens, at)
      if (close === undefined) {
        if (!isInch(tokens, at)) break
      } else at = close
    } else if (!(end > from && (isTie(tokens, at) || isNameOf(tokens, at)))) break
  }
  return end
}

/** "Ideas You'll Love". */
const contraction = /['’](?:ll|re|ve|d|m|t)$/

const isPart = (token: TaggedToken | undefined) =>
  token?.isWord === true &&
  !functionWords.has(token.word) &&
  !contraction.test(token.word) &&
  (isCapital(token) || hasDigit(token.word))

/** "Theresa May", "Mary Can": an auxiliary in capitals behind a name that something is told of. */
const isSurname = (tokens: readonly TaggedToken[], at: number) =>
  textAt(tokens, at) === 'May' &&
  isOneOf(visibility(wordAt(tokens, at - 1)), 'person unknown') &&
  !hasDigit(wordAt(tokens, at + 1))

/** "Will Smith": where no question begins. */
const isFirstName = (tokens: readonly TaggedToken[], at: number) =>
  textAt(tokens, at) === 'Will' && isCapital(tokens[at + 1]) && !functionWords.has(wordAt(tokens, at + 1))

/** A possessive, a unit behind a number, what joins two parts without a space, and a role before a name. */
function isTie(tokens: readonly TaggedToken[], at: number): boolean {
  const [before, token, after] = [tokens[at - 1], tokens[at], tokens[at + 1]]
  if (!token) return false
  if (token.tag === 'POS') return true
  if (isUnit(token.word) && token.word !== 'in') return /^\d[\d.,]*$/.test(wordOf(before)) && isPart(after)
  if (isParticle(before, token)) return isPart(after)
  // "1:64".
  if (token.text === ':')
    return (
      isGlued(tokens, at) && hasDigit(wordOf(before)) && hasDigit(wordOf(after)) && isPart(tokens[at + 2])
    )
  if (token.text === 'f') return after?.text === '/' && hasDigit(wordOf(before))
  if (token.text === '/') return isGlued(tokens, at) && (hasDigit(wordOf(after)) || isOr(tokens, at))
  if (token.word === 'to') return isPart(after) && leadsToCable(tokens, at)
  if (token.word === 'and') return isDoneWith(tokens, at)
  if (token.word === 'under') return after?.word === 'armour'
  if (token.text === '%') return isGluedTo(before, token) && (isPart(after) || after?.text === '+')
  if (token.text === '+') return before?.text === '%' && isPart(after)
  // "Pack 'n Play".
  // "Girls' Dress".
  if (isOneOf(token.text, "' ’") && isGluedTo(before, token) && before?.word.endsWith('s'))
    return isPart(after) || (after?.word === 'under' && wordAt(tokens, at + 2) === 'armour')
  if (isOneOf(token.text, "' ’")) return after?.word === 'n' && isPart(tokens[at + 2])
  if (token.word === 'n') return isPart(after)
  // "Fisher-Price Laugh & Learn", "Black & Decker".
  if (token.text === '&')
    return (
      // "Ben & Jerry's".
      (isPart(before) && isPart(after) && tagAt(tokens, at + 2) === 'POS') ||
      (isPart(before) &&
        (isWordOfName(after) || isOneOf(after?.text, 'Suites Spa Casino Resort')) &&
        (isWordOfName(before) ||
          isOneOf(before?.text, 'Inn Hotel Resort Lodge Golf') ||
          visibility(wordOf(after)) === 'unknown'))
    )
  return (roles.has(token.word) || particles.has(token.word)) && isPart(after)
}

/** "Cord/Cordless Clipper", "Neon Blue/Neon Red Controller": two of a kind before the rest of the name. */
const isOr = (tokens: readonly TaggedToken[], at: number) =>
  !isOneOf(
    wordAt(tokens, at - 1),
    'photo photos image images picture pictures getty gettys ap aps afp afps reuters reuterss',
  ) &&
  isCapital(tokens[at + 1]) &&
  isCapital(tokens[at + 2]) &&
  [tokens[at - 1], tokens[at + 1]].some(
    (token) =>
      tradeColours.has(wordOf(token)) || tagsOf(wordOf(token))?.[0] === 'JJ' || /less$/.test(wordOf(token)),
  )

/** "USB-C to Lightning Cable". */
const leadsToCable = (tokens: readonly TaggedToken[], at: number) =>
  [at + 2, at + 3, at + 4].some((place) =>
    isOneOf(
      wordAt(tokens, place),
      'cable cables adapter adapters adaptor adaptors converter converters cord cords lead leads hub hubs',
    ),
  )

/** "Peel and Stick Wallpaper". */
const isDoneWith = (tokens: readonly TaggedToken[], at: number) =>
  [at - 1, at + 1].every(
    (place) =>
      isCapital(tokens[place]) &&
      tagsOf(wordAt(tokens, place))?.some((tag) => tag.startsWith('VB')) === true &&
      !/[sg]$/.test(wordAt(tokens, place)),
  ) && isCapital(tokens[at + 2])

/** "Lace Up Boots", "Slip On Shoes". */
export const isParticle = (before: TaggedToken | undefined, { text }: TaggedToken) =>
  isOneOf(text, 'Up On Over Down Out Off In') &&
  isOneOf(
    wordOf(before),
    'lace zip slip pull button push pop clip roll fold lift plug step wrap stand walk drop',
  )

/** "the Bank of England", "Isle of Skye": "of" in a name, where most words begin small. */
function isNameOf(tokens: readonly TaggedToken[], at: number): boolean {
  return (
    wordAt(tokens, at) === 'of' &&
    isPart(tokens[at + 1]) &&
    at > 1 &&
    isCapital(tokens[at + 1]) &&
    // "Cristiano Ronaldo of Juventus".
    visibility(lemma(wordAt(tokens, at - 1))) !== 'unknown' &&
    amongSmall(tokens, at)
  )
}

/** A word that names nothing to be seen by itself. */
const isWordOfName = (token: TaggedToken | undefined) =>
  isPart(token) && ((isVerb(token) && token?.tag !== 'VBG') || !isThing(wordOf(token)))

const isGluedTo = (before: TaggedToken | undefined, token: TaggedToken) => before?.end === token.start

const isGlued = (tokens: readonly TaggedToken[], at: number) =>
  tokens[at]?.start === tokens[at - 1]?.end && tokens[at]?.end === tokens[at + 1]?.start

/** 1/2" before the rest of the name. */
const isInch = (tokens: readonly TaggedToken[], at: number) =>
  hasDigit(wordAt(tokens, at - 1)) && tokens[at - 1]?.end === tokens[at]?.start && isPart(tokens[at + 1])

/** Where a quotation ends that the name goes on behind: NFL "The Duke" Official Football. */
function quoteEnd(tokens: readonly TaggedToken[], open: number): number | undefined {
  if (tokens[open - 1]?.end === tokens[open]?.start) return undefined
  for (let at = open + 1; at < open + 6; at++)
    if (textAt(tokens, at) === '"') return isPart(tokens[at + 1]) ? at : undefined
  return undefined
}
