import { nameOpeners as openers } from '../lexicon/goods-words.js'
import { lemma } from '../lexicon/lemma.js'
import { canBe, hasTag, tagsOf } from '../lexicon/lexicon.js'
import { makers } from '../lexicon/makers.js'
import { materials, tradeColours, tradeMaterials } from '../lexicon/qualities.js'
import { hasDigit, isUnit } from '../lexicon/units.js'
import { isFirstFood, isWare } from '../lexicon/wares.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import { isNamedLocation, isVerbLemma, nounSenses } from '../lexicon/wordnet.js'
import { isCapital, isParticle, isSeen, isThing, roles, runEnd, things } from './name-run.js'
import { type TaggedToken, tagged } from './tag.js'
import { isModifier, isNoun, isPlural, isVerb, tagAt, textAt, wordAt, wordOf } from './tag-patterns.js'
import { compoundVisibility, visibility } from './visibility.js'

/** What people and animals do in titles that are sentences: "Woman Wearing a Red Dress". */
const doings = wordSet(
  `wearing holding playing sitting standing riding eating looking using making carrying watching taking lying laying
  reading talking drinking posing smiling enjoying getting having giving showing featuring doing putting working
  jumping flying leaning hanging wading walking drawing pushing pulling throwing catching kicking hitting swinging`,
)
/** What a title tells its reader to do. */
const orders = wordSet('buy shop find get discover see learn make meet try watch create build includes fits')
/** Things that end a name though WordNet files them elsewhere. */
const ending = wordSet('set kit t-shirt tee sundress hoodie')
/** What a number behind tells which one: "Model 3". */
const ways = wordSet('route tram interstate highway gate room pier platform bus train')
/** What names of places end in. */
const places = wordSet(
  `park forest reserve monument square station museum gallery church cathedral castle palace bridge stadium arena center
  centre hall hotel resort airport beach bay island lake river garden street avenue complex campus temple theatre theater
  library university hospital market plaza pier harbor harbour`,
)
const editions = wordSet('model series mark mk gen generation version vol volume type class no')
/**
 * Tags the words of names and titles as what they are there. The tagger sees "Air Max 270 React" as nouns, a
 * number and a verb; in a run of capitals they are one name. Captions without two capitals in a row are left
 * as they are.
 */
export function repairNames(tokens: readonly TaggedToken[]): readonly TaggedToken[] {
  if (!tokens.some(isCapital)) return tokens
  const shouted = isShouted(tokens)
  let mended = behindPlace(tokens)
  for (let at = 0; at < tokens.length; ) {
    const end = runEnd(tokens, at)
    if (end - at > 1 && isName(tokens, at, end) && !shouted) {
      mended ??= [...tokens]
      for (let place = at; place < end; place++) {
        const token = mended[place] as TaggedToken
        mended[place] = tagged(token, tagInName(mended, place, at, end) ?? token.tag, true)
      }
    }
    if (mended && end > at) {
      if (isThingBehind(mended, end)) mended[end] = tagged(mended[end] as TaggedToken, 'NN')
      joinClass(mended, at, end)
      if (isActedByMany(mended, end)) mended[end] = tagged(mended[end] as TaggedToken, 'VBP')
      if (tagAt(mended, at) !== 'CD' && isActedBy(mended, end, at))
        mended[end] = tagged(mended[end] as TaggedToken, 'VBZ')
    }
    at = Math.max(end, at + 1)
  }
  return mended ?? tokens
}

/** "Santorini blue domed church": a thing that a place's name stands in front of, where a caption begins. */
function behindPlace(tokens: readonly TaggedToken[]): TaggedToken[] | undefined {
  if (tagAt(tokens, 1) !== 'JJ' || !isCapital(tokens[0]) || tagAt(tokens, 0) !== 'NN') return undefined
  let end = 1
  while (tagAt(tokens, end) === 'JJ' && !isCapital(tokens[end]) && end < 4) end++
  if (end === 1 || !isNoun(tokens[end]) || isCapital(tokens[end])) return undefined
  const name = wordAt(tokens, 0)
  if (visibility(name) !== 'unknown' && !isNamedLocation(name, true)) return undefined
  return tokens.map((token, at) => (at > 0 && at < end ? tagged(token, 'NN') : token))
}

/** "Louis Vuitton Neverfull tote": a thing in small letters that ends the name, which the tagger takes for a verb. */
const isThingBehind = (tokens: readonly TaggedToken[], at: number) =>
  isOneOf(tagAt(tokens, at), 'VB VBP') &&
  !isCapital(tokens[at]) &&
  !tokens[at + 1]?.isWord &&
  visibility(wordAt(tokens, at)) === 'artifact'

/** "Gucci GG Marmont small shoulder bag", "Chevrolet Camaro convertible": what a good is, behind its name. */
function joinClass(tokens: TaggedToken[], start: number, end: number): void {
  if (!isNoun(tokens[end - 1]) || endsName(tokens, end - 1)) return
  // "1965 Mustang convertible".
  if (isActor(tokens[end - 1]) && !tokens.slice(start, end).some(({ word }) => /^(?:19|20)\d\d$/.test(word)))
    return
  if (
    tokens.slice(start, end).some(({ word }) => isWare(lemma(word)) && !hasDigit(word) && !makers.has(word))
  )
    return
  let last = end
  while (tagAt(tokens, last) === 'JJ' && last < end + 3) last++
  const joins = isNoun(tokens[last]) || canBe(wordAt(tokens, last - 1), 'NN')
  if (!joins) return
  for (let at = end; at < last; at++) tokens[at] = tagged(tokens[at] as TaggedToken, 'NN')
}

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
  // "Pier 39 sea lions".
  (ways.has(wordAt(tokens, from)) && hasDigit(wordAt(tokens, from + 1)) && isNoun(tokens[to])) ||
  // "on Route 66".
  (from > 0 && tokens[from - 1]?.isWord === true && isCapital(tokens[from]) && tagAt(tokens, from) === 'NN')

/** Whether all of a caption is in capitals, and a sentence. */
function isShouted(tokens: readonly TaggedToken[]): boolean {
  return (
    !tokens.some(({ text }) => /\p{Ll}/u.test(text)) &&
    tokens.some(({ word }) => isOneOf(word, 'is are was were has have the a an'))
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
  // "Nissan Leaf SL".
  if (
    tag === 'UH' &&
    behindNoun &&
    !isOneOf(word, 'ok hi oh fr rn ty') &&
    /^\p{Lu}{2}$/u.test(textAt(tokens, at))
  )
    return 'NN'
  if (tag === 'POS' || (tag === 'UH' && tagsOf(word)?.[0] !== 'UH')) return undefined
  // "Ha Long Bay", "SL 5", but "NEW nails LOL".
  if (tag === 'UH') return /^\p{Lu}(?:\p{Ll}|\p{Lu}?$)/u.test(textAt(tokens, at)) && after ? 'NN' : undefined
  if (word === 'of' || (before && isParticle(before, tokens[at] as TaggedToken))) return 'NN'
  if (!isWord) return 'NN'
  if (hasDigit(word)) {
    // "2015 Ford", "501 Jeans" behind a possessive: a number that leads on.
    if (/^[\d.,]+$/.test(word) && !behindNoun) return 'CD'
    return isNoun(tokens[at + 1]) ||
      after ||
      (tagAt(tokens, at + 1) === 'JJ' && isNoun(tokens[at + 2]) && at - start > 1) ||
      !/^[\d.,]+$/.test(word) ||
      isModelNumber(word, before) ||
      makers.has(wordAt(tokens, start))
      ? 'NN'
      : undefined
  }
  if (isUnit(word) && hasDigit(wordOf(before))) return 'NN'
  if (word === 'set' && behindNoun) return 'NN'
  // "How to Make Cookies", "Shop Dresses".
  if (at === start && (orders.has(word) || (tagAt(tokens, at - 1) === 'TO' && isVerbLemma(word)))) return 'VB'
  if (isNoun(tokens[at])) return tag === 'NNS' && actsHere(tokens, at) ? 'VBZ' : undefined
  if (/^VBG/.test(tag)) {
    if (behindNoun && compoundVisibility(wordAt(tokens, at - 1), word) === 'artifact') return 'NN'
    if (doings.has(word) || !(after || behindNoun)) return undefined
    return behindNoun && !endsName(tokens, at - 1) ? 'NN' : after ? 'JJ' : 'NN'
  }
  if (
    isModifier(tokens[at]) &&
    isCapital(tokens[at]) &&
    tagsOf(word) === undefined &&
    (/^\p{Lu}{2,}$/u.test(textAt(tokens, at)) || !/(?:ed|less|proof|-.*)$/.test(word))
  )
    return 'NN'
  // "Old Faithful erupts".
  if (tag === 'JJ' && at === end - 1 && at > start && tagAt(tokens, end) === 'VBZ') return 'NN'
  if (isModifier(tokens[at]) && behindNoun && isPlaceRun(tokens, start, end)) return 'NN'
  if (isModifier(tokens[at])) return behindNoun && joinsName(tokens, at, after) ? 'NN' : undefined
  if (tag === 'VBZ' && isActor(before)) return undefined
  if (isVerb(tokens[at]) && after === undefined && !behindNoun) return undefined
  return 'NN'
}

/** "Samsung Smart TV", "guard Jamal Murray", "Taylor Swift", "Vacuum Cleaner": a modifier inside or at the end. */
function joinsName(tokens: readonly TaggedToken[], at: number, after: TaggedToken | undefined): boolean {
  const word = wordAt(tokens, at)
  // "Joshua Tree National Park", "Mount Rainier".
  if (isOneOf(word, 'national state royal') && places.has(wordOf(after))) return true
  if (isOneOf(wordAt(tokens, at - 1), 'mount lake cape fort isle')) return true
  if (after) return isActor(tokens[at - 1]) || !endsName(tokens, at - 1)
  if (tradeColours.has(word)) return false
  // "London Underground sign".
  if (isNoun(tokens[at + 1])) return !isCapital(tokens[at + 1]) && !isThing(wordAt(tokens, at - 1))
  if (visibility(word) === 'artifact' && canBe(word, 'NN')) return true
  return !endsName(tokens, at - 1) && !/(?:ed|less|proof)$/.test(word)
}

/** "in Plitvice Lakes National Park", "from Launch Complex 39A": one name that says where. */
const isPlaceRun = (tokens: readonly TaggedToken[], start: number, end: number) =>
  isOneOf(textAt(tokens, start - 1), 'in at from near outside inside') &&
  (places.has(lemma(wordAt(tokens, end - 1))) || hasDigit(wordAt(tokens, end - 1)))

/** "iPhone 13", "Boeing 747": a short number behind a word that names nothing by itself. */
const isModelNumber = (word: string, before: TaggedToken | undefined) =>
  /^\d{1,3}$/.test(word) &&
  before !== undefined &&
  (editions.has(before.word) || ways.has(before.word) || (!isThing(before.word) && !isUnit(before.word)))

/** Whether what ends here is the whole name of a thing, so that a modifier behind it opens another one. */
function endsName(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  // "GPS Running Smartwatch".
  if (/^\p{Lu}{2,4}$/u.test(textAt(tokens, at)) && /\p{Ll}/u.test(textAt(tokens, at + 1))) return false
  if (isOneOf(word, 'pair pairs')) return false
  if (tagAt(tokens, at) === 'NNS' && isCapital(tokens[at]) && !openers.has(word) && isSeen(word)) return true
  // "Hydro Flask Wide Mouth Bottle": the second word of a maker's name.
  if (makers.has(wordAt(tokens, at - 1)) && tokens[at - 1]?.isName && !isPlural(tokens[at])) return false
  if (isUnit(word) || materials.has(word) || tradeMaterials.has(word) || openers.has(word)) return false
  return (
    (isWare(lemma(word)) &&
      !isFirstFood(lemma(word)) &&
      canBe(lemma(word), 'NN') &&
      tagsOf(word)?.[0] !== 'JJ') ||
    ending.has(word)
  )
}

const isActor = (token: TaggedToken | undefined) => isOneOf(visibility(lemma(wordOf(token))), 'animal person')

/** "Karim Benzema scores from", "Narendra Modi waves to": no thing of the name is what follows. */
function isActedBy(tokens: readonly TaggedToken[], at: number, start: number): boolean {
  if (tagAt(tokens, at) !== 'NNS' || isCapital(tokens[at])) return false
  const noun = wordAt(tokens, at) === 'leaves' ? 'leave' : lemma(wordAt(tokens, at))
  return (
    isVerbLemma(noun) &&
    // "midfielder N'Golo Kante trains ahead".
    ((isOneOf(tagAt(tokens, at + 1), 'IN RB DT') &&
      wordAt(tokens, at + 1) !== 'of' &&
      tokens.slice(Math.max(0, start - 1), at).some((token) => isActor(token) || roles.has(token.word))) ||
      !things.test(nounSenses(noun)[0]?.file ?? '')) &&
    (isOneOf(tagAt(tokens, at + 1), 'IN TO DT RB PRP$ JJ VBN CD') ||
      isActor(tokens[at + 1]) ||
      isCapital(tokens[at + 1]))
  )
}

/** "Tutu and the Dalai Lama share a laugh". */
const isActedByMany = (tokens: readonly TaggedToken[], at: number) =>
  tagAt(tokens, at) === 'NN' &&
  !isCapital(tokens[at]) &&
  hasTag(wordAt(tokens, at), 'VB VBP') &&
  isOneOf(wordAt(tokens, at + 1), 'a an the')

/** "Dog Jumps Over a Fence". */
const actsHere = (tokens: readonly TaggedToken[], at: number) =>
  isActor(tokens[at - 1]) &&
  tagAt(tokens, at - 1) === 'NN' &&
  hasTag(lemma(wordAt(tokens, at)), 'VB VBP') &&
  isOneOf(tagAt(tokens, at + 1), 'IN DT TO RB PRP$')

/** Whether a noun at `at` opens a name of its own behind one that is whole: "Pool Float | Summer Party Toy". */
export function opensName(tokens: readonly TaggedToken[], at: number): boolean {
  if (tokens[at]?.isName !== true || !openers.has(wordAt(tokens, at))) return false
  return isNoun(tokens[at - 1]) && endsName(tokens, at - 1)
}
