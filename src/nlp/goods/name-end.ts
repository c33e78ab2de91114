import { featureWords, nameOpeners, shadedGoods, targets } from '../lexicon/goods-words.js'
import { lemma } from '../lexicon/lemma.js'
import { makers } from '../lexicon/makers.js'
import { tradeColours } from '../lexicon/qualities.js'
import { hasDigit } from '../lexicon/units.js'
import { wordSet } from '../lexicon/word-set.js'
import { isNamedLocation } from '../lexicon/wordnet.js'
import type { TaggedToken } from '../tags/tag.js'
import { isAdjective, isDeterminer, isNoun, isPlural, wordAt } from '../tags/tag-patterns.js'
import { compoundFeature, dataEnd, hasGood, isAbility, isContent, isGood, isStuff, places } from './good.js'
import { isGoodsTitle } from './goods-title.js'

/** What holds, stores or ends a set of what is named before it: "Socks Organizer", "Headphones Stand". */
const supports = wordSet(
  `set kit pack case box bag holder rack stand organizer organiser hanger storage cabinet display dispenser sharpener cleaner
  bundle combo collection puzzle puzzles game book sheet sheets cover covers clip band strap charger cable`,
)

/** No name of a good is longer; it bounds what is looked at. */
const longest = 60
/** What stands before an article's number. */
export const codeWords = wordSet('sku item ref mpn asin isbn ean upc p/n')

/** Things that a name ends in and of which hardly a compound is made: what follows is another name. */
const lastWords = wordSet(
  `knocker slipcover protector necklace bracelet earrings mount costume sweatshirt hoodie t-shirt tee blouse cardigan sweater jumper
  leggings jeans trousers pants shorts socks shoes boots sneakers sandals slippers trainers heels pajamas pyjamas romper jumpsuit
  sundress tunic sunglasses glasses gloves mittens headphones earphones earbuds handbag crossbody chandelier curtains figurine
  statue sculpture ornament tablecloth pillowcase doormat wristwatch bedspread comforter recliner dresser nightstand armchair
  bookshelf bookcase sideboard humidifier blender toaster stroller smartwatch multitool flashlight`,
)

/**
 * Where the name of a good ends in a run of words that goes on: "Sofa Cover | Stretch Couch Slipcover", "Bedside Table |
 * 3 Drawer", "Canister Set | Nesting". `end` where it does not go on.
 */
export function nameEnd(tokens: readonly TaggedToken[], start: number, end: number): number {
  if (end - start < 2 || end - start > longest || isDeterminer(tokens[start]) || !isGoodsTitle(tokens))
    return end
  if (codeWords.has(wordAt(tokens, start)) && hasDigit(wordAt(tokens, start + 1)))
    return Math.min(start + 2, end)
  const data = start > 0 && hasDigit(wordAt(tokens, start)) ? dataEnd(tokens, start, end) : start
  if (data > start && data < end && isNoun(tokens[start - 1])) return data
  for (let at = start + 1; at < end; at++)
    if (isCarData(tokens, start, at) && !hasGood(tokens, at, end)) return at
    else if (isWhole(tokens, start, at - 1) && (goesOn(tokens, at, end) || isCutOf(tokens, at, end)))
      return at
  // The second name of a good ends in a thing: "Kids School Bag | Rainbow".
  if (start > 0 && isNoun(tokens[start - 1]) && tokens[start - 1]?.isName)
    for (let at = end - 1; at > start; at--)
      if (isGood(tokens, at)) return isShelf(wordAt(tokens, at + 1)) && at + 1 < end ? at + 2 : at + 1
  return end
}

/** "BMW X5 M Sport | 5dr Auto". */
const isCarData = (tokens: readonly TaggedToken[], start: number, at: number) =>
  at > start + 1 &&
  /^(?:\ddr|auto|automatic|manual|diesel|petrol)$/.test(wordAt(tokens, at)) &&
  (makers.has(wordAt(tokens, start)) || makers.has(wordAt(tokens, start + 1)))

/** Whether the words from `start` up to `last` are the whole name of a good. */
function isWhole(tokens: readonly TaggedToken[], start: number, last: number): boolean {
  if (!isGood(tokens, last)) return false
  if (isPlural(tokens[last])) return true
  if (last === start) return wordAt(tokens, start - 1) === 'with'
  return !(last === start + 1 && makers.has(wordAt(tokens, start)))
}

const shapes = /^(?:round|square|oval|king|queen|twin|double|single|full|super|portrait|landscape)$/

/** Whether what stands at `at`, behind the whole name of a good, is no part of it. */
function goesOn(tokens: readonly TaggedToken[], at: number, end: number): boolean {
  const word = wordAt(tokens, at)
  if (hasDigit(word)) return isDataApart(tokens, at, end) || !hasGood(tokens, at, end)
  if (places.has(wordAt(tokens, at - 1))) return false
  if (compoundFeature.test(word) || isAbility(word)) return true
  if (featureWords.has(word)) return tokens[at]?.isName === true || !shapes.test(word)
  if (nameOpeners.has(word)) return targets.has(word) || hasGood(tokens, at + 1, end)
  // "Dining Chairs Set of 4".
  if (/^(?:set|pack|lot|box)$/.test(word)) return at === end - 1 && isContent(tokens, end)
  // "Controller Midnight Black".
  if (tradeColours.has(wordAt(tokens, at + 1)) && !isGood(tokens, at)) return !hasGood(tokens, at, end)
  if (/^(?:left|right|front|rear)$/.test(word)) return !hasGood(tokens, at, end)
  if (wordAt(tokens, at + 1) === 'free' || /^ip[x\d]\d$/.test(word)) return true
  // "Silver Eagle Coin BU", "Postcards Germany".
  if (/^\p{Lu}{1,3}$/u.test(tokens[at]?.text ?? '') || isNamedLocation(word, true))
    return !hasGood(tokens, at, end)
  if (isDepartmentBehind(tokens, at, end) || isTailOfStuff(tokens, at, end)) return true
  if (tokens[at + 1]?.text === '/' && tradeColours.has(wordAt(tokens, at + 2))) return true
  if (shadedGoods.has(lemma(wordAt(tokens, at - 1)))) return !isGood(tokens, end - 1)
  return (
    lastWords.has(wordAt(tokens, at - 1)) &&
    end - at > 1 &&
    tokens[at]?.isName === true &&
    !supports.has(lemma(wordAt(tokens, at))) &&
    !/^(?:set|kit|pack|bundle)$/.test(wordAt(tokens, at + 1))
  )
}

const isShelf = (word: string) => /^(?:decor|decoration|supply|accessory|gift|present)s?$/.test(lemma(word))

/** "Star Confetti | Table Decoration": a room or an occasion, and the shelf of a shop. */
const isDepartmentBehind = (tokens: readonly TaggedToken[], at: number, end: number) =>
  at > 1 &&
  at === end - 2 &&
  tokens[at]?.isName === true &&
  isShelf(wordAt(tokens, at + 1)) &&
  (places.has(wordAt(tokens, at)) || nameOpeners.has(wordAt(tokens, at)))

/** "Zippo Lighter | High Polish Brass": no more than what it is of. */
const isTailOfStuff = (tokens: readonly TaggedToken[], at: number, end: number) =>
  end - at < 4 &&
  (isStuff(wordAt(tokens, end - 1)) || (isStuff(wordAt(tokens, end)) && tokens[end]?.isName === true)) &&
  !hasGood(tokens, at, end)

/** "Wedding Dress | A-Line Sweetheart Neckline", "Blouse | Long Sleeve": how clothes are cut. */
const isCutOf = (tokens: readonly TaggedToken[], at: number, end: number) =>
  end - at > 1 &&
  end - at < 5 &&
  !isGood(tokens, at) &&
  tokens[at]?.isName === true &&
  /^(?:neckline|neck|sleeves?|waist|hem|collar|back|toe|heels?|straps?|fit|cuffs?|gauge|size|tone|finish|style|wash|grade|weight|scent|flavou?r|capacity|width|length|action|count|release)$/.test(
    wordAt(tokens, end - 1),
  )

/** Whether data stand at `at` that are no part of a compound: behind them is nothing, or another name with its modifiers. */
function isDataApart(tokens: readonly TaggedToken[], at: number, end: number): boolean {
  const behind = dataEnd(tokens, at, end)
  if (behind === at) return false
  // "55 x 28 Inches", "3 Tier Bathroom Shelf".
  if (
    behind - at > 2 ||
    isAbility(wordAt(tokens, behind)) ||
    (behind - at > 1 && end - behind > 2) ||
    places.has(wordAt(tokens, behind))
  )
    return true
  const word = wordAt(tokens, behind)
  return (
    behind === end ||
    nameOpeners.has(word) ||
    featureWords.has(word) ||
    isStuff(word) ||
    isAdjective(tokens[behind]) ||
    !hasGood(tokens, behind, end)
  )
}
