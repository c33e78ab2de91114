import { tagsOf } from './lexicon/lexicon.js'
import { wordSet } from './lexicon/word-set.js'
import { isNamedLocation } from './lexicon/wordnet.js'
import type { TaggedToken } from './tags/tag.js'
import { amongSmall, beginsCapital, isDeterminer, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** What regions are called by: "Orange County". */
const regions = wordSet(
  'county state province district city town village republic kingdom highlands midlands lowlands borders riviera',
)
/** WordNet has them as lands. */
const continents = wordSet('europe asia africa antarctica oceania scandinavia eurasia america')
/** What has an edge: "Mount Fuji", "Isle of Skye". */
export const landmarks: ReadonlySet<string> = wordSet('mount mt lake isle island cape bay fort st')
/** Said of a part of a region: "south London". */
const parts = wordSet(
  'north south east west northern southern eastern western central downtown greater upstate inner',
)
/** What a settlement is called by in small letters, behind its name or beside it: "Mbare township". */
const settlements = wordSet(
  'township town village city district neighborhood neighbourhood suburb province region hamlet',
)
/** How towns end that have a common noun in their name: "Palm Springs", "Essex Junction". */
const townEnds = wordSet(
  `springs junction heights hills rapids falls grove ferry mills crossing corners haven creek shores hollow green cove
  beach harbor harbour`,
)
/** Short for a state or a country. */
const shortNames = /^(?:u\.?s\.?a?|u\.?k|u\.a\.e|uae|u\.s\.s\.r|ussr|d\.c|p\.r|n\.y|l\.a|nyc)\.?$/
/** Small words inside names of towns: "Playa del Carmen". */
const particles = wordSet('de del la las los el di da do dos am an der en le les sur upon')
/** What stands in towns, in names. */
const buildings = wordSet(
  `bridge castle church cathedral square tower palace museum park market hotel station abbey gate basilica temple mosque
  opera theatre theater library fountain garden gardens pier stadium university`,
)
/** What there is of a town: "the streets of Hong Kong". */
const ofTowns = wordSet(
  `city town village port street streets district suburb suburbs outskirts coast skyline center centre capital
  state province region harbour harbor county countryside republic islands university middle heart
  ruins walls castle cathedral theatre theater market square fortress rooftops canals alleys houses hills`,
)

/**
 * Whether the noun phrase of tokens `start` to `end` is a settlement, a state or a region by its name, which
 * nobody can draw a box round: one that WordNet has, or an unknown name where a place must be.
 */
export function isPlace(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (isNamedSettlement(tokens, start, end) || isAddress(tokens, start, end)) return true
  if (!beginsCapital(tokens[end - 1])) return false
  // "Sen. Bernie Sanders, I-Vt.": the party and the state.
  if (end - start === 1 && /^[DRI]-\p{Lu}/u.test(tokens[start]?.text ?? '')) return true
  if (isShortName(tokens, start, end)) return true
  let first = start
  if (isDeterminer(tokens[first]) && end - first > 1) first++
  while (end - first > 1 && parts.has(wordAt(tokens, first))) first++
  for (let at = first; at < end; at++)
    if (!beginsCapital(tokens[at]) && tokens[at]?.isName !== true) return false
  const before = wordAt(tokens, start - 1)
  // "Naomi Osaka, of Japan".
  const isBehind =
    /^(?:in|at|from|near|,)$/.test(before) || (before === 'of' && wordAt(tokens, start - 2) === ',')
  if (isLocation(tokens, first, end, !isBehind)) return true
  if (end - first > 1 && regions.has(wordAt(tokens, end - 1))) return true
  // "County Clare".
  if (end - start === 2 && /^(?:county|co)$/.test(wordAt(tokens, start))) return true
  if (isTown(tokens, start, end)) return true
  // "a house in Paradise", whatever the word means besides.
  if (
    before === 'in' &&
    end - start === 1 &&
    /^\p{Lu}\p{Ll}/u.test(tokens[start]?.text ?? '') &&
    amongSmall(tokens, start)
  )
    return true
  if (continents.has(wordAt(tokens, end - 1)) && end - first === 1) return true
  if (isApposed(tokens, end)) return true
  if (end - start === 1 && isBehindLandmark(tokens, start)) return true
  if (first === start && isLastSurname(tokens, start, end)) return true
  if (first > start || !isUnknown(tokens, first, end)) return false
  if (/^(?:in|near)$/.test(before)) return true
  if (before === 'of' && ofTowns.has(wordAt(tokens, start - 2))) return true
  // "at night market, Chiang Mai": a name of which nothing is known, at the end.
  if (before === ',' && endsCaption(tokens, end) && amongSmall(tokens, start)) return true
  // "Positano" behind a sign, "at Southwold, Suffolk".
  if (isLastName(tokens, start, end)) return true
  // "Dubrovnik, Croatia".
  return wordAt(tokens, end) === ',' && isPlaceBehind(tokens, end + 1)
}

/** "123 Maple Ave, Springfield": a house by its number. */
const isAddress = (tokens: readonly TaggedToken[], start: number, end: number) =>
  !tokens[start - 1]?.isWord &&
  end - start > 2 &&
  /^\d{1,5}$/.test(wordAt(tokens, start)) &&
  beginsCapital(tokens[start + 1]) &&
  /^(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|court|ct|way|place|pl|terrace|crescent|close|circle|cir)$/.test(
    wordAt(tokens, end - 1),
  )

/** "Harare's Mbare township". */
function isNamedSettlement(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (end - start < 2 || isDeterminer(tokens[start]) || !settlements.has(wordAt(tokens, end - 1)))
    return false
  return tokens.slice(start, end - 1).every((token) => beginsCapital(token) || token.tag === 'POS')
}

/** "U.S.", "NYC", and no "US Army helicopter". */
const isShortName = (tokens: readonly TaggedToken[], start: number, end: number) =>
  shortNames.test(wordAt(tokens, end - 1)) &&
  (end - start === 1 || (end - start === 2 && wordAt(tokens, start) === 'the')) &&
  /^\p{Lu}[\p{Lu}.]/u.test(tokens[end - 1]?.text ?? '')

/** "in Essex Junction", "in Palm Springs, California": a name in a sentence that ends as names of towns do. */
function isTown(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (end - start < 2 || wordAt(tokens, start - 1) !== 'in' || !townEnds.has(wordAt(tokens, end - 1)))
    return false
  return (
    !/^(?:beach|creek|falls|cove|harbou?r)$/.test(wordAt(tokens, end - 1)) || isPlaceBehind(tokens, end + 1)
  )
}

/** Whether nothing but signs follows: a point, an emoji. */
function endsCaption(tokens: readonly TaggedToken[], from: number): boolean {
  for (let at = from; at < tokens.length; at++) {
    if (tokens[at]?.isWord || at > from + 4) return false
    if (/^[|:–—-]$/.test(wordAt(tokens, at))) return false
  }
  return true
}

/** "Chapel Bridge, Lucerne": one name that ends a caption, behind the name of a thing that stands there. */
const isBehindLandmark = (tokens: readonly TaggedToken[], start: number) =>
  wordAt(tokens, start - 1) === ',' &&
  endsCaption(tokens, start + 1) &&
  beginsCapital(tokens[start - 2]) &&
  beginsCapital(tokens[start - 3]) &&
  buildings.has(wordAt(tokens, start - 2)) &&
  !buildings.has(wordAt(tokens, start))

/** "Castle Combe, the prettiest village in the Cotswolds". */
function isApposed(tokens: readonly TaggedToken[], end: number): boolean {
  if (wordAt(tokens, end) !== ',' || !isDeterminer(tokens[end + 1])) return false
  for (let at = end + 2; at < end + 5; at++) if (settlements.has(wordAt(tokens, at))) return true
  return false
}

/** One name behind a comma or an emoji that ends the caption, or one behind "at" with such a one behind it. */
function isLastName(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (end - start > 1) return false
  const before = wordAt(tokens, start - 1)
  if (end === tokens.length) return before === ',' || /\p{Extended_Pictographic}/u.test(before)
  if (!/^(?:at|in|near|outside)$/.test(before) || wordAt(tokens, end) !== ',') return false
  return beginsCapital(tokens[end + 1]) && end + 2 === tokens.length
}

/** "wood stove & deck, Powys": a name that is also a writer's, where none is spoken of. */
const isLastSurname = (tokens: readonly TaggedToken[], start: number, end: number) =>
  end - start === 1 &&
  end === tokens.length &&
  wordAt(tokens, start - 1) === ',' &&
  !beginsCapital(tokens[start - 2]) &&
  visibility(wordAt(tokens, start)) === 'person' &&
  tagsOf(wordAt(tokens, start)) === undefined

/** A name of WordNet's that does not end in a word for what has an edge: the Grand Canal is to be seen. */
function isLocation(tokens: readonly TaggedToken[], start: number, end: number, mostly: boolean): boolean {
  const last = wordAt(tokens, end - 1)
  if (landmarks.has(wordAt(tokens, start))) return false
  if (
    end - start > 1 &&
    !regions.has(last) &&
    (/^(?:square|park|gardens?|beach|zoo|forest)$/.test(last) ||
      /^(?:object|artifact)$/.test(visibility(last) ?? ''))
  )
    return false
  return isNamedLocation(nameOf(tokens, start, end), mostly)
}

function isPlaceBehind(tokens: readonly TaggedToken[], from: number): boolean {
  let end = from
  while (end < from + 3 && beginsCapital(tokens[end])) end++
  for (let at = end; at > from; at--) if (isNamedLocation(nameOf(tokens, from, at), false)) return true
  return false
}

const nameOf = (tokens: readonly TaggedToken[], start: number, end: number) =>
  tokens
    .slice(start, end)
    .map(({ word }) => word)
    .join('_')

/** A name of two words at most besides its small ones, of which nothing is known. */
function isUnknown(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  let words = 0
  for (let at = start; at < end; at++) {
    const word = wordAt(tokens, at)
    if (at > start && at < end - 1 && particles.has(word)) continue
    if (++words > 2 || visibility(word) !== 'unknown') return false
  }
  return true
}
