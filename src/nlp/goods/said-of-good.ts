import { countedParts, featureWords, nameOpeners, targets, tradeWords } from '../lexicon/goods-words.js'
import { lemma } from '../lexicon/lemma.js'
import { canBe } from '../lexicon/lexicon.js'
import { tradeColours } from '../lexicon/qualities.js'
import { hasDigit, isUnit } from '../lexicon/units.js'
import { wordSet } from '../lexicon/word-set.js'
import type { TaggedToken } from '../tags/tag.js'
import { beginsCapital, isAdjective, isDeterminer, isNoun, wordAt } from '../tags/tag-patterns.js'
import { visibility } from '../tags/visibility.js'
import { compoundFeature, dataEnd, isContent, isGood, isInchSign, isStuff } from './good.js'
import { isGoodsTitle } from './goods-title.js'
import { codeWords } from './name-end.js'

/** Parts of goods that stand behind the name without "with": "Elastic Waist", "Rubber Sole". */
const partHeads = wordSet(
  `cover lid handle strap sole pocket zipper zip blade sleeve neck neckline waist waistband hem collar cuff toe heel closure
  lining hood frame leg top base back buckle clasp tip case edge border plug bottom side hand foot panel brim stitching ruffle pleat belt band bezel dial`,
)

/**
 * Whether the noun phrase of tokens `start` to `end` stands behind the name of a good and is no other name: "Cruelty Free",
 * "Right Hand", "Round Natural", "A3".
 */
export function isSaidOfGood(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  if (
    start === 0 ||
    (isDeterminer(tokens[start]) && !/^(?:any|all)$/.test(wordAt(tokens, start))) ||
    !isGoodsTitle(tokens)
  )
    return false
  const before = tokens[start - 1]
  const isBehindInch = isInchSign(before) && hasDigit(wordAt(tokens, start - 2))
  const word = wordAt(tokens, end - 1)
  if (before?.word === 'in')
    return (
      !(tokens[end]?.isWord && tokens[end]?.tag !== 'CC') &&
      tokens[end]?.text !== ',' &&
      (!isGood(tokens, end - 1) || word === 'wash')
    )
  if (dataEnd(tokens, start, end) === end) return true
  if (isPredicated(tokens, start, end)) return true
  if (before?.tag === 'CC') return word === 'free' || (!targets.has(word) && isAllSaid(tokens, start, end))
  if (before?.isWord === false && !isBehindInch && before.text !== ')') {
    if (!/^[,|–—()/;:+•·″”-]$/.test(before.text)) return false
    // "White/Solar Yellow", "10 ft Drop Protection", "Skin-On".
    if (tokens[start + 1]?.text === '/' && tradeColours.has(wordAt(tokens, start))) return true
    if (
      hasDigit(wordAt(tokens, start)) &&
      (dataEnd(tokens, start, end) > start || /\.\d/.test(wordAt(tokens, start))) &&
      !isGood(tokens, end - 1)
    )
      return true
    // "67 plate", "one owner".
    if (word === 'title' && /^(?:clean|clear|salvage|rebuilt)$/.test(wordAt(tokens, start))) return true
    if (/^(?:plate|reg|owners?|keepers?|miles|mot)$/.test(word) && tokens[start]?.tag === 'CD') return true
    if (visibility(lemma(word)) === 'unknown' && end - start > 1 && isQualified(tokens, start, end - 1))
      return true
    if (end - start === 1 && compoundFeature.test(word)) return true
    if (before.text === '(' && tokens[start]?.tag === 'CD' && tokens[end]?.text === ')') return true
    if (/^(?:needs|requires|includes|fits|suits)$/.test(wordAt(tokens, start))) return true
    if (/^[,|–—-]$/.test(before.text) && isPart(tokens, start, end) && !tokens[end]?.isWord) return true
    if (isCodes(tokens, start, end) || isContent(tokens, end)) return true
    return (!tokens[end]?.isWord || hasDigit(wordAt(tokens, end))) && isAllSaid(tokens, start, end)
  }
  if (codeWords.has(wordAt(tokens, start - 2))) return false
  if (isStuff(wordAt(tokens, end)) && tokens[end]?.isName && end - start < 3) return true
  if (
    !(
      isBehindInch ||
      before?.text === ')' ||
      isNoun(before) ||
      isAdjective(before) ||
      /^(?:CD|RB|VBG)$/.test(before?.tag ?? '')
    )
  )
    return false
  if (isAllSaid(tokens, start, end) || wordAt(tokens, start) === 'bare') return true
  if (end - start === 1 && /^(?:set|pack|bundle|duo|trio|pair|combo)$/.test(word)) return true
  const [first, last] = [tokens[start], tokens[end - 1]]
  if (!(beginsCapital(first) || hasDigit(first?.word ?? '')) || !(beginsCapital(last) || hasDigit(word)))
    return false
  if (word === 'free' || !isGood(tokens, end - 1)) return true
  return isPart(tokens, start, end)
}

/** "Elastic Waist". */
const isPart = (tokens: readonly TaggedToken[], start: number, end: number) =>
  partHeads.has(lemma(wordAt(tokens, end - 1))) &&
  end - start > 1 &&
  end - start < 6 &&
  beginsCapital(tokens[start]) &&
  beginsCapital(tokens[end - 1])

/** "Any Name | Engraved", "Spot Resist | Stainless", "batteries not included": something is said of it, up to a sign. */
function isPredicated(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  let at = end
  if (tokens[at]?.tag === 'RB') at++
  const word = wordAt(tokens, at)
  if (tokens[at + 1]?.isWord || tokens[start - 1]?.isWord) return false
  if (/^(?:included|required|sold)$/.test(word)) return true
  return (
    at === end &&
    beginsCapital(tokens[at]) &&
    beginsCapital(tokens[start]) &&
    (tokens[at]?.tag === 'VBN' || word === 'certified' || word === 'stainless' || featureWords.has(word)) &&
    !isGood(tokens, end - 1)
  )
}

/** "HN1834", "126610LN", "A3", "M9/W11": capitals and numbers in one word. */
const isCode = (token: TaggedToken | undefined) =>
  /^(?=.*\p{Lu})(?=.*\p{Nd})[\p{Lu}\p{Nd}-]+$/u.test(token?.text ?? '')

const isCodes = (tokens: readonly TaggedToken[], start: number, end: number) =>
  tokens.slice(start, end).every((token) => token.text === '/' || isCode(token))

/** "Weather Resistant HDPE": stuff of which a dictionary knows nothing, and how it is. */
function isQualified(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  for (let at = start; at < end; at++)
    if (featureWords.has(wordAt(tokens, at)) || canBe(wordAt(tokens, at), 'JJ')) return true
  return false
}

/** Whether every word of a phrase says how a good is: "Non GMO", "strong nonslip", "large". */
function isAllSaid(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const word = wordAt(tokens, at)
    const isSaid =
      featureWords.has(word) ||
      tradeWords.has(word) ||
      isStuff(word) ||
      isUnit(word) ||
      (at < end - 1 && (isAdjective(tokens[at]) || tokens[at]?.tag === 'CD')) ||
      (at > start && word === 'free') ||
      (at > start && countedParts.has(word) && tokens[start]?.tag === 'CD') ||
      (at === end - 1 && nameOpeners.has(word))
    if (!isSaid) return false
  }
  return true
}
