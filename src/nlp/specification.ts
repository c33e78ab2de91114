import { abstractHeads } from './abstract-heads.js'
import { isSaidOfGood } from './goods/said-of-good.js'
import { featureWords, finishes, soldThings } from './lexicon/goods-words.js'
import { lemma } from './lexicon/lemma.js'
import { tagsOf } from './lexicon/lexicon.js'
import { makers } from './lexicon/makers.js'
import { materials, tradeColours, tradeMaterials } from './lexicon/qualities.js'
import { hasDigit, isMeasure, isSize, isUnit } from './lexicon/units.js'
import { isWare } from './lexicon/wares.js'
import { wordSet } from './lexicon/word-set.js'
import { captionFact } from './tags/caption-fact.js'
import type { TaggedToken } from './tags/tag.js'
import { beginsCapital, isDeterminer, isModifier, isNoun, isPlural, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'
import { isSegment } from './title-segments.js'

/** An article number, and what names a resolution. */
const code = /^(?:\d{4,}|(?=.*[a-z])(?=.*\d)[a-z\d-]+)$/
const sizes = wordSet('xs s m l xl xxl xxxl 2xl 3xl 4xl small medium large')
/** What a measure of a good comes in. */
const containers = wordSet('jar bottle can tin box bag pack tub tube packet carton pot sachet roll bar')
/** What goods are said to be behind their name. */
const features = wordSet(
  `unlocked refurbished online waterproof wireless rechargeable adjustable foldable size sizes sz age ages pack non gps usb wifi oem`,
)

/**
 * The end of what a phrase names, where its name goes on as a list of data: "Samsung Galaxy S21 | 128GB Phantom
 * Silver", "Hiking Boots | Size 8". `end` where it does not, or where what follows the data is the thing: "32 oz
 * Water Bottle".
 */
export function specified(tokens: readonly TaggedToken[], start: number, end: number): number {
  if (!mayBeSpecified(tokens, start, end)) return end
  // Of "Phantom Silver" no part is a thing.
  let thing = tradeColours.has(wordAt(tokens, end - 1)) ? end - 3 : end - 1
  // "Hazelnut Spread 750g jar".
  if (containers.has(wordAt(tokens, end - 1)) && isMeasured(tokens, end - 2)) thing = end - 3
  while (thing >= start && !isThing(tokens, thing)) thing--
  const data = dataAt(tokens, start, end)
  if (data !== undefined) return data
  for (let at = start + 1; at < thing; at++)
    if (isSize(wordAt(tokens, at)) && isThing(tokens, at - 1) && isWare(lemma(wordAt(tokens, at - 1))))
      return at
  for (let at = Math.max(thing, start) + 1; at < end; at++) {
    const isData = isSpecifying(tokens, at) || (at === thing + 1 && code.test(wordAt(tokens, at)))
    if (isData && isNoun(tokens[at - 1]) && (thing >= start || isMeasured(tokens, at) || at === end - 1))
      return at
  }
  return end
}

/**
 * Where a list of data begins whatever is behind it: with the first of two sizes that no thing has in its name ("16GB
 * RAM 512GB SSD"), or with a length behind a plural that is a thing ("LED String Lights 33ft 100 LEDs").
 */
function dataAt(tokens: readonly TaggedToken[], start: number, end: number): number | undefined {
  let first: number | undefined
  for (let at = start + 2; at < end; at++) {
    const word = wordAt(tokens, at)
    if (
      /^\d+(?:ft|m|cm|mm|in|oz|ml)$/.test(word) &&
      isPlural(tokens[at - 1]) &&
      isSeen(wordAt(tokens, at - 1))
    )
      return at
    if (!isSize(word)) continue
    if (first === undefined) first = at
    else return behindCodes(tokens, start, first)
  }
  return undefined
}

const isSeen = (word: string) => {
  const found = visibility(lemma(word))
  return found !== undefined && found !== 'unknown'
}

/** The codes of parts go with the data in front of which they stand: "i7-12700H 16GB". */
function behindCodes(tokens: readonly TaggedToken[], start: number, from: number): number {
  let at = from
  while (at > start + 2 && /^(?=.*[a-z])/.test(wordAt(tokens, at - 1)) && code.test(wordAt(tokens, at - 1)))
    at--
  return at
}

/** Whether a phrase has a name, a number or a feature in it: others are not looked through. */
function mayBeSpecified(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  for (let at = start + 1; at < end; at++) {
    const token = tokens[at]
    if (
      token?.isName ||
      token?.word === 'number' ||
      hasDigit(wordAt(tokens, at)) ||
      features.has(wordAt(tokens, at))
    )
      return true
  }
  return false
}

/** Whether a word only specifies the name that it stands behind. */
export function isSpecifying(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  if (isMeasured(tokens, at) || features.has(word)) return true
  if (/^\d+(?:-\d+)?$/.test(word) && /^(?:size|sizes|sz|age|ages|pack)$/.test(wordAt(tokens, at - 1)))
    return true
  // "UK 7 EU 41".
  if (/^(?:uk|eu|us)$/.test(word) && /^\d/.test(wordAt(tokens, at + 1))) return true
  // "Earrings 925 Sterling Silver".
  if (/^\d{3}$/.test(word) && /^(?:sterling|silver|gold)$/.test(wordAt(tokens, at + 1))) return true
  // "Baseball player number 22".
  if (word === 'number' && tokens[at + 1]?.tag === 'CD') return isNoun(tokens[at - 1])
  if (tokens[at]?.isName !== true) return false
  if (word === 'cream' && isAdjectiveOrSkin(tokens, at - 1)) return false
  // "BMW M Sport".
  const next = tokens[at + 1]
  if (word.length === 1 && next?.isName && !hasDigit(next.word) && !tradeColours.has(next.word)) return false
  return tradeColours.has(word) || sizes.has(word) || /^(?:19|20)\d\d(?:s|-\d\d(?:\d\d)?)?$/.test(word)
}

/** "Hand Cream", "Ultra-Rich Cream": no colour. */
const isAdjectiveOrSkin = (tokens: readonly TaggedToken[], at: number) =>
  isModifier(tokens[at]) ||
  /^(?:hand|face|foot|body|skin|eye|night|day|shaving|sun|ice|nappy|diaper|anti-aging|facial|hair|care|repair|.*-.*)$/.test(
    wordAt(tokens, at),
  )

/** "128GB", "15 oz", "2 Panels". Of "5G" the letter is no gram. */
function isMeasured(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  // "Interstate 10 in Houston".
  if (/^(?:interstate|route|highway)$/.test(wordAt(tokens, at - 1))) return false
  // "Birkin 30 in leather".
  const unit = wordAt(tokens, at + 1)
  if (unit === 'in' && tokens[at + 2]?.isWord && wordAt(tokens, at + 2) !== 'x') return isMeasure(word)
  if (isUnit(word)) return /^\d/.test(wordAt(tokens, at - 1))
  if (/^\d+[GK]$/.test(tokens[at]?.text ?? '')) return false
  return (
    isMeasure(word) || (/^\d[\d.,/]*$/.test(word) && (isUnit(wordAt(tokens, at + 1)) || isInch(tokens, at)))
  )
}

/** 22" */
const isInch = (tokens: readonly TaggedToken[], at: number) =>
  /^["″]$/.test(wordAt(tokens, at + 1)) && tokens[at + 1]?.start === tokens[at]?.end

/** Whether all that tokens `start` to `end` say is a specification. */
export function isSpecification(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  // "in mint green".
  if (
    end - start === 1 &&
    wordAt(tokens, start - 1) === 'in' &&
    finishes.has(wordAt(tokens, start)) &&
    tradeColours.has(wordAt(tokens, end))
  )
    return true
  if (isRoomCount(tokens, start, end)) return true
  // "Dairy Free", "lead free".
  if (
    isNoun(tokens[end - 1]) &&
    wordAt(tokens, end) === 'free' &&
    wordAt(tokens, end + 1) !== 'of' &&
    !isDeterminer(tokens[start])
  )
    return true
  if (
    isMadeOf(tokens, start, end) ||
    isSegment(tokens, start, end) ||
    isFinish(tokens, start, end) ||
    isListedColour(tokens, start, end) ||
    isSaidOfGood(tokens, start, end)
  )
    return true
  if (isNoun(tokens[start - 1]) && (isMeasured(tokens, start) || code.test(wordAt(tokens, start))))
    return true
  if (/^sizes?$/.test(wordAt(tokens, start)) && isNoun(tokens[start - 1]) && tokens[start]?.isName)
    return true
  for (let at = start; at < end; at++) {
    const isNumber =
      at < end - 1
        ? tokens[at]?.tag === 'CD' || (at > start && /^\d+$/.test(wordAt(tokens, at)))
        : at > start && hasDigit(wordAt(tokens, at))
    if (!isNumber && !isSpecifying(tokens, at) && !(start > 0 && tradeColours.has(wordAt(tokens, at))))
      return false
  }
  return !isDeterminer(tokens[start])
}

/** "3 Bed, 2 Bath, 1,850 sqft". */
const isRoomCount = (tokens: readonly TaggedToken[], start: number, end: number) =>
  end - start === 2 &&
  start > 0 &&
  !tokens[start - 1]?.isWord &&
  /^\d[\d,.]*$/.test(wordAt(tokens, start)) &&
  /^(?:bed|bath|beds|baths|bedrooms?|bathrooms?|ba|br|bd|sqft|sqm|acres?|car|stories|floors?|parking)$/.test(
    wordAt(tokens, end - 1),
  )

/** "made of white marble", "a bag in black leather": no more than what a thing is of. */
function isMadeOf(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const head = wordAt(tokens, end - 1)
  if (!materials.has(head) && !tradeMaterials.has(head)) return false
  const before = wordAt(tokens, start - 1)
  if (/^(?:of|from)$/.test(before))
    return /^(?:made|built|crafted|constructed|carved)$/.test(wordAt(tokens, start - 2))
  const isLast = !tokens[end]?.isWord || (wordAt(tokens, end) === 'with' && beginsCapital(tokens[start]))
  return before === 'in' && isLast && !isDeterminer(tokens[start])
}

/** "Shoulder bag | pebbled leather", "Stand Mixer - Graphite": stuff between the signs of a title. */
function isFinish(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (start === 0 || tokens[start - 1]?.isWord || tokens[end]?.isWord || isDeterminer(tokens[start]))
    return false
  const head = wordAt(tokens, end - 1)
  const isStuff =
    materials.has(head) ||
    tradeMaterials.has(head) ||
    tradeColours.has(head) ||
    visibility(head) === 'substance'
  return isStuff && !isTold(tokens)
}

/** Whether a caption has a determiner or a verb. */
const isTold = captionFact((tokens) =>
  tokens.some((token) => isDeterminer(token) || /^VB[ZGP]$/.test(token.tag)),
)

/** "Windbreaker jacket, colorblock": a colour between signs. */
function isListedColour(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (start === 0 || tokens[start - 1]?.isWord) return false
  // "- Sierra Blue".
  if (tradeColours.has(wordAt(tokens, end)) && !tokens[end + 1]?.isWord && end - start === 1) return true
  if (tokens[end]?.isWord) return false
  return tokens.slice(start, end).every(({ word }) => tradeColours.has(word))
}

/** "smartwatch": a word that WordNet lacks, written in one, of which the end is a thing. */
function isNewCompound(word: string): boolean {
  if (visibility(word) !== 'unknown') return false
  const known = newCompounds.get(word)
  if (known !== undefined) return known
  const found = endsInThing(word)
  if (newCompounds.size >= mostCompounds) newCompounds.clear()
  newCompounds.set(word, found)
  return found
}

const newCompounds = new Map<string, boolean>()
const mostCompounds = 50_000

function endsInThing(word: string): boolean {
  for (let at = 2; at <= word.length - 4; at++) if (visibility(word.slice(at)) === 'artifact') return true
  return false
}

const things = /^(?:animal|artifact|food|listed|person|plant|body)$/

function isThing(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  if (
    hasDigit(word) ||
    word.length < 2 ||
    isUnit(word) ||
    makers.has(word) ||
    // "Aston Martin DB5".
    (tokens[at]?.isName &&
      makers.has(wordAt(tokens, at - 1)) &&
      !isPlural(tokens[at]) &&
      hasDigit(wordAt(tokens, at + 1))) ||
    (word === 'number' && tokens[at + 1]?.tag === 'CD')
  )
    return false
  if (wordAt(tokens, at - 1) === 'non') return false
  if (isNewCompound(word) || soldThings.has(word)) return true
  const noun = lemma(word)
  const found = visibility(noun) ?? ''
  return (
    (things.test(found) || (found === 'unknown' && tokens[at]?.isName !== true)) &&
    !features.has(noun) &&
    !(tokens[at]?.isName && featureWords.has(word)) &&
    !abstractHeads.has(noun) &&
    !tradeColours.has(word) &&
    tagsOf(noun)?.[0] !== 'JJ'
  )
}
