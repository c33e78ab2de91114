import { countedParts, featureWords, finishes, nameOpeners, soldThings } from '../lexicon/goods-words.js'
import { lemma } from '../lexicon/lemma.js'
import { tagsOf } from '../lexicon/lexicon.js'
import { makers } from '../lexicon/makers.js'
import { materials, tradeColours, tradeMaterials } from '../lexicon/qualities.js'
import { hasDigit, isMeasure, isUnit } from '../lexicon/units.js'
import { isWare } from '../lexicon/wares.js'
import { wordSet } from '../lexicon/word-set.js'
import type { TaggedToken } from '../tags/tag.js'
import { isNoun, wordAt } from '../tags/tag-patterns.js'

/** Where a good is used or what it is made for: they stand in front of what it is, and seldom end its name. */
export const places = wordSet(
  `car wall door window floor table desk bed garden kitchen bathroom bedroom office house home room patio camera phone computer
  laptop tablet hair nail face body hand foot dog cat pet fish horse bike boat truck pool bath shower toilet closet tree plant
  coffee tea wine beer water food fruit pizza egg paper photo book toy game music party zip button snap magic air sport sports
  canvas screen power battery oil gas fire ice sun solar engine motor wheel chain cord cable wire rope steam farm`,
)

/** What measured goods come in. */
const containers = wordSet(
  'tubes tube bottles bottle cans can jars jar bags bag packs pack boxes box sachets tubs rolls sheets pods capsules refills',
)

/** Whether the word at `at` is a thing that a name can end in. */
export function isGood(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  const noun = lemma(word)
  return (
    isNoun(tokens[at]) &&
    (isWare(noun) || soldThings.has(word)) &&
    !hasDigit(word) &&
    word.length > 2 &&
    !isUnit(word) &&
    !makers.has(word) &&
    !isStuff(word) &&
    !featureWords.has(word) &&
    !nameOpeners.has(word) &&
    (tagsOf(noun)?.[0] ?? 'NN') !== 'JJ'
  )
}

export function hasGood(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (isGood(tokens, at)) return true
  return false
}

export const isStuff = (word: string) =>
  materials.has(word) || finishes.has(word) || tradeMaterials.has(word) || tradeColours.has(word)

const contents = /^(?:packet|sachet|capsule|tablet|pod|refill|sheet|roll|can|piece|count|set|pair|panel)s$/

export const isInchSign = (token: TaggedToken | undefined) => /^["″]$/.test(token?.text ?? '')

/** The place behind "24 Colours x 12ml Tubes", '48"' and what else is counted or measured from `at` on. */
export function dataEnd(tokens: readonly TaggedToken[], at: number, end: number): number {
  let next = at
  while (next < end) {
    const word = wordAt(tokens, next)
    const isNumber = /^\d[\d.,/-]*$/.test(word)
    const after = wordAt(tokens, next + 1)
    if (
      isNumber &&
      (isUnit(after) || contents.test(after) || countedParts.has(after) || isInchSign(tokens[next + 1]))
    )
      next += 2
    else if (isNumber && after === 'x') next++
    else if ((isMeasure(word) && hasDigit(word)) || (word === '/' && next > at)) next++
    else if (next > at && (word === 'x' || containers.has(word))) next++
    else return next
  }
  return next
}

/** "Zoomable". */
export const isAbility = (word: string) => /.{4}(?:able|ible)$/.test(word) && word !== 'vegetable'

/** "Skin-On", "Professional-Grade". */
export const compoundFeature =
  /-(?:on|off|up|in|out|free|less|proof|safe|friendly|resistant|grade|duty|sized?|quality|certified|approved|mounted)$/

/** "Box of 12". */
export const isContent = (tokens: readonly TaggedToken[], end: number) =>
  wordAt(tokens, end) === 'of' &&
  /^\d/.test(wordAt(tokens, end + 1)) &&
  !tokens[end + 2]?.isWord &&
  /^(?:box|pack|set|case|bag|pair|lot|card|tube|tub|tin|roll|packet|bundle|carton)s?$/.test(
    wordAt(tokens, end - 1),
  )
