import { lemma } from '../lexicon/lemma.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { makers } from '../lexicon/makers.js'
import { materials, tradeColours, tradeMaterials } from '../lexicon/qualities.js'
import { hasDigit, isUnit } from '../lexicon/units.js'
import { isVerbLemma, nounSenses } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import { amongSmall, isModifier, isNoun, isVerb, tagAt, wordAt } from './tag-patterns.js'
import { visibility } from './visibility.js'

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** Words of which no name is made, capital or not. */
const functionWords = list(
  `a an the this that these those his her its their my your our some any all both each every no not
  of in on at by to from with without for as into onto over under up down near behind beside between through about
  around along across after before during inside outside off above below against upon via per like than and or but
  nor if so is are was were be been being am has have had do does did can could will would may might must shall should
  it he she they we you i who whom whose which what when where why how there here while because`,
)
/** What people and animals do in titles that are sentences: "Woman Wearing a Red Dress". */
const doings = list(
  `wearing holding playing sitting standing riding eating looking using making carrying watching taking lying laying
  reading talking drinking posing smiling enjoying getting having giving showing featuring doing putting working
  jumping flying leaning hanging wading walking drawing pushing pulling throwing catching kicking hitting swinging`,
)
/** What a title tells its reader to do. */
const orders = list('buy shop find get discover see learn make meet try watch create build')
/** What opens another name behind one that is whole: "Unicorn Pool Float | Summer Party Toy". */
const openers = list(
  `women womens men mens kids kid girls boys baby toddler unisex ladies summer winter spring autumn fall christmas
  halloween easter birthday father mother valentine wedding party vintage antique handmade cotton leather wooden`,
)
/** Things that end a name though WordNet files them elsewhere. */
const ending = list('set kit t-shirt tee sundress hoodie')
/** Small words inside names: "Rio de Janeiro", "Vincent van Gogh". */
const particles = list('de la del di da do dos von van der den du le el al bin')
/** What a number behind tells which one: "Model 3". */
const ways = list('route tram interstate highway gate room pier platform bus train')
const editions = list('model series mark mk gen generation version vol volume type class no')
const roles = list(
  'forward guard captain midfielder striker keeper coach defender star actor singer president minister',
)
/** A name is not longer; it bounds what is looked at. */
const longestName = 40

/**
 * Tags the words of names and titles as what they are there. The tagger sees "Air Max 270 React" as nouns, a
 * number and a verb; in a run of capitals they are one name. Captions without two capitals in a row are left
 * as they are.
 */
export function repairNames(tokens: readonly TaggedToken[]): readonly TaggedToken[] {
  if (!tokens.some(isCapital)) return tokens
  const shouted = isShouted(tokens)
  let mended: TaggedToken[] | undefined
  for (let at = 0; at < tokens.length; ) {
    const end = runEnd(tokens, at)
    if (end - at > 1 && isName(tokens, at, end) && !shouted) {
      mended ??= [...tokens]
      for (let place = at; place < end; place++) {
        const token = mended[place] as TaggedToken
        mended[place] = { ...token, tag: tagInName(mended, place, at, end) ?? token.tag, isName: true }
      }
    }
    if (mended && end > at) {
      joinClass(mended, at, end)
      if (tagAt(mended, at) !== 'CD' && isActedBy(mended, end))
        mended[end] = { ...(mended[end] as TaggedToken), tag: 'VBZ' }
    }
    at = Math.max(end, at + 1)
  }
  return mended ?? tokens
}

/** "Gucci GG Marmont small shoulder bag", "Chevrolet Camaro convertible": what a good is, behind its name. */
function joinClass(tokens: TaggedToken[], start: number, end: number): void {
  if (!isNoun(tokens[end - 1]) || endsName(tokens, end - 1) || isActor(tokens[end - 1])) return
  if (tokens.slice(start, end).some(({ word }) => isThing(word) && !hasDigit(word) && !makers.has(word)))
    return
  let last = end
  while (tagAt(tokens, last) === 'JJ' && last < end + 3) last++
  const joins = isNoun(tokens[last]) || canBe(wordAt(tokens, last - 1), 'NN')
  if (!joins) return
  for (let at = end; at < last; at++) tokens[at] = { ...(tokens[at] as TaggedToken), tag: 'NN' }
}

const isCapital = (token: TaggedToken | undefined) => /^\p{Lu}|^\p{Ll}{1,2}\p{Lu}/u.test(token?.text ?? '')

function hasTwo(tokens: readonly TaggedToken[], is: (token: TaggedToken) => boolean): boolean {
  let count = 0
  for (const token of tokens) if (is(token) && ++count === 2) return true
  return false
}

/** Two capitals, or a word that names nothing by itself and a number: "iPhone 13". */
const isName = (tokens: readonly TaggedToken[], from: number, to: number) =>
  hasTwo(tokens.slice(from, to), isCapital) ||
  visibility(wordAt(tokens, from)) === 'unknown' ||
  makers.has(wordAt(tokens, from)) ||
  // "on Route 66".
  (from > 0 && tokens[from - 1]?.isWord === true && isCapital(tokens[from]) && tagAt(tokens, from) === 'NN')

/** The end of the run of capitals, numbers and what ties them that begins at `from`; `from` where none does. */
function runEnd(tokens: readonly TaggedToken[], from: number): number {
  let end = from
  for (let at = from; at < Math.min(tokens.length, from + longestName); at++) {
    const token = tokens[at]
    if (isPart(token)) end = at + 1
    else if (!(end > from && (isTie(tokens, at) || isNameOf(tokens, at)))) break
  }
  return end
}

const isPart = (token: TaggedToken | undefined) =>
  token?.isWord === true && !functionWords.has(token.word) && (isCapital(token) || hasDigit(token.word))

/** A possessive, a unit behind a number, what joins two parts without a space, and a role before a name. */
function isTie(tokens: readonly TaggedToken[], at: number): boolean {
  const [before, token, after] = [tokens[at - 1], tokens[at], tokens[at + 1]]
  if (!token) return false
  if (token.tag === 'POS') return true
  if (isUnit(token.word) && token.word !== 'in')
    return /^\d[\d.,]*$/.test(before?.word ?? '') && isPart(after)
  if (isParticle(before, token)) return isPart(after)
  if (token.text === 'f') return after?.text === '/' && hasDigit(before?.word ?? '')
  if (token.text === '/') return isGlued(tokens, at) && hasDigit(after?.word ?? '')
  if (token.text === '&') return isWordOfName(before) && isWordOfName(after)
  return (roles.has(token.word) || particles.has(token.word)) && isPart(after)
}

/** "Lace Up Boots", "Slip On Shoes". */
const isParticle = (before: TaggedToken | undefined, { text }: TaggedToken) =>
  /^(?:Up|On|Over|Down|Out|Off|In)$/.test(text) &&
  /^(?:lace|zip|slip|pull|button|push|pop|clip|roll|fold|lift|plug|step|wrap|stand|walk|drop)$/.test(
    before?.word ?? '',
  )

/** "the Bank of England", "Isle of Skye": "of" in a name, where most words begin small. */
function isNameOf(tokens: readonly TaggedToken[], at: number): boolean {
  return (
    wordAt(tokens, at) === 'of' &&
    isPart(tokens[at + 1]) &&
    at > 1 &&
    isCapital(tokens[at + 1]) &&
    amongSmall(tokens, at)
  )
}

/** A word that names nothing to be seen by itself. */
const isWordOfName = (token: TaggedToken | undefined) =>
  isPart(token) && (isVerb(token) || !isThing(token?.word ?? ''))

const isGlued = (tokens: readonly TaggedToken[], at: number) =>
  tokens[at]?.start === tokens[at - 1]?.end && tokens[at]?.end === tokens[at + 1]?.start

/** Whether all of a caption is in capitals, and a sentence. */
function isShouted(tokens: readonly TaggedToken[]): boolean {
  return (
    !tokens.some(({ text }) => /\p{Ll}/u.test(text)) &&
    tokens.some(({ word }) => /^(?:is|are|was|were|has|have|the|a|an)$/.test(word))
  )
}

/** The tag of a word of the name from `start` to `end`, or undefined to leave what it has. */
function tagInName(
  tokens: readonly TaggedToken[],
  at: number,
  start: number,
  end: number,
): string | undefined {
  const { word, isWord, tag } = tokens[at] as TaggedToken
  const before = at > start ? tokens[at - 1] : undefined
  const after = at + 1 < end ? tokens[at + 1] : undefined
  const behindNoun = isNoun(before)
  if (tag === 'POS' || tag === 'UH') return undefined
  if (word === 'of' || (before && isParticle(before, tokens[at] as TaggedToken))) return 'NN'
  if (!isWord) return 'NN'
  if (hasDigit(word)) {
    // "2015 Ford", "501 Jeans" behind a possessive: a number that leads on.
    if (/^[\d.,]+$/.test(word) && !behindNoun) return 'CD'
    return isNoun(tokens[at + 1]) || after || !/^[\d.,]+$/.test(word) || isModelNumber(word, before)
      ? 'NN'
      : undefined
  }
  if (isUnit(word) && hasDigit(before?.word ?? '')) return 'NN'
  // "How to Make Cookies", "Shop Dresses".
  if (at === start && (orders.has(word) || (tagAt(tokens, at - 1) === 'TO' && isVerbLemma(word)))) return 'VB'
  if (isNoun(tokens[at])) return tag === 'NNS' && actsHere(tokens, at) ? 'VBZ' : undefined
  if (/^VBG/.test(tag)) {
    if (doings.has(word) || !(after || behindNoun)) return undefined
    return behindNoun && !endsName(tokens, at - 1) ? 'NN' : after ? 'JJ' : 'NN'
  }
  if (
    isModifier(tokens[at]) &&
    isCapital(tokens[at]) &&
    tagsOf(word) === undefined &&
    !/(?:ed|less|proof|-.*)$/.test(word)
  )
    return 'NN'
  if (isModifier(tokens[at])) return behindNoun && joinsName(tokens, at, after) ? 'NN' : undefined
  if (tag === 'VBZ' && isActor(before)) return undefined
  if (isVerb(tokens[at]) && after === undefined && !behindNoun) return undefined
  return 'NN'
}

/** "Samsung Smart TV", "guard Jamal Murray", "Taylor Swift", "Vacuum Cleaner": a modifier inside or at the end. */
function joinsName(tokens: readonly TaggedToken[], at: number, after: TaggedToken | undefined): boolean {
  const word = wordAt(tokens, at)
  if (after) return isActor(tokens[at - 1]) || !endsName(tokens, at - 1)
  if (tradeColours.has(word) || isNoun(tokens[at + 1])) return false
  if (visibility(word) === 'artifact' && canBe(word, 'NN')) return true
  return !endsName(tokens, at - 1) && !/(?:ed|less|proof)$/.test(word)
}

/** "iPhone 13", "Boeing 747": a short number behind a word that names nothing by itself. */
const isModelNumber = (word: string, before: TaggedToken | undefined) =>
  /^\d{1,3}$/.test(word) &&
  before !== undefined &&
  (editions.has(before.word) || ways.has(before.word) || (!isThing(before.word) && !isUnit(before.word)))

/** Whether what ends here is the whole name of a thing, so that a modifier behind it opens another one. */
function endsName(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  if (tagAt(tokens, at) === 'NNS' && isCapital(tokens[at]) && !openers.has(word) && isSeen(word)) return true
  if (isUnit(word) || materials.has(word) || tradeMaterials.has(word) || openers.has(word)) return false
  return (isThing(word) && canBe(lemma(word), 'NN')) || ending.has(word)
}

const things = /^(?:animal|artifact|food|listed|person|plant|object|body)$/
const isThing = (word: string) => things.test(visibility(lemma(word)) ?? '')
const isSeen = (word: string) => !/^(?:unknown)?$/.test(visibility(lemma(word)) ?? '')
const isActor = (token: TaggedToken | undefined) =>
  /^(?:animal|person)$/.test(visibility(lemma(token?.word ?? '')) ?? '')

/** "Karim Benzema scores from", "Narendra Modi waves to": no thing of the name is what follows. */
function isActedBy(tokens: readonly TaggedToken[], at: number): boolean {
  const noun = wordAt(tokens, at) === 'leaves' ? 'leave' : lemma(wordAt(tokens, at))
  return (
    tagAt(tokens, at) === 'NNS' &&
    !isCapital(tokens[at]) &&
    isVerbLemma(noun) &&
    !things.test(nounSenses(noun)[0]?.file ?? '') &&
    /^(?:IN|TO|DT|RB|PRP\$)$/.test(tagAt(tokens, at + 1))
  )
}

/** "Dog Jumps Over a Fence". */
const actsHere = (tokens: readonly TaggedToken[], at: number) =>
  isActor(tokens[at - 1]) &&
  tagAt(tokens, at - 1) === 'NN' &&
  tagsOf(lemma(wordAt(tokens, at)))?.some((tag) => /^VBP?$/.test(tag)) === true &&
  /^(?:IN|DT|TO|RB|PRP\$)$/.test(tagAt(tokens, at + 1))

/** Whether a noun at `at` opens a name of its own behind one that is whole: "Pool Float | Summer Party Toy". */
export function opensName(tokens: readonly TaggedToken[], at: number): boolean {
  if (tokens[at]?.isName !== true || !openers.has(wordAt(tokens, at))) return false
  return isNoun(tokens[at - 1]) && endsName(tokens, at - 1)
}
