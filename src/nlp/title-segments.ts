import { lemma } from './lexicon/lemma.js'
import { tagsOf } from './lexicon/lexicon.js'
import { makers } from './lexicon/makers.js'
import { hasDigit, isMeasure, isUnit } from './lexicon/units.js'
import { wordSet } from './lexicon/word-set.js'
import { nounSenses } from './lexicon/wordnet.js'
import { captionFact } from './tags/caption-fact.js'
import { things } from './tags/name-run.js'
import type { TaggedToken } from './tags/tag.js'
import { beginsCapital, isDeterminer, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

/** What is said of goods and is no good. */
const qualities = wordSet(
  `roast flavor flavour scent fragrance aroma finish color colour style tone fit cut size edition version condition shade
  grade quality type material fabric flavor warranty returns postage p&p dispatch clearance stock width length waist inseam
  motif slot skin trim weave texture thread closure tint blend formula strength compatibility resolution medium wash`,
)
/** How shops call a look, and what a good is used for or where, when they stand by themselves. */
const looks = wordSet(
  `boho bohemian farmhouse rustic unisex handmade minimalist retro scandi industrial coastal tropical preppy y2k goth
  bedroom bathroom kitchen living dining home room nursery entryway hallway porch patio garden office classroom dorm garage outdoor indoor
  camping wedding anniversary housewarming birthday party travel gym yoga school`,
)
/** Whom goods are for, where nothing else is said. */
const buyers = wordSet('man woman kid child girl boy lady gentleman adult teen toddler infant junior')
/** Numbers that tell one good from another of its kind, by what stands before them. */
const codes = wordSet('sku item ref mpn asin isbn ean upc vin chassis p/n oem')

/**
 * Whether a phrase is all that stands between two signs of a good's title, behind its name, and names no thing:
 * "| Rear-Facing | Carbon", "(aqua)", ", medium espresso roast", "- Clean".
 */
export function isSegment(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const head = lemma(wordAt(tokens, end - 1))
  if (codes.has(wordAt(tokens, start)) && end - start > 1) return true
  if (start === 0 || isDeterminer(tokens[start]) || isSentence(tokens)) return false
  const before = wordAt(tokens, start - 1)
  if (beginsCapital(tokens[start]) && isUse(tokens, start)) return true
  if (!/^[,|–—(/:;+•·-]$/.test(before)) return false
  if (codes.has(wordAt(tokens, start))) return true
  if (tokens[end]?.isWord) return false
  if (qualities.has(head)) return true
  if (beginsCapital(tokens[start]) && isSaidOfGood(tokens, start, end, head)) return true
  // "(Bare Tool)".
  if (wordAt(tokens, start) === 'bare') return true
  if (before !== ',' && buyers.has(head)) return true
  const found = visibility(head)
  // "Glass Top Table": a group, and a thing that somebody made.
  if (found === 'group' && nounSenses(head).some(({ file }) => file === 'artifact')) return false
  if (things.test(found ?? '')) return before === '(' && buyers.has(head)
  // "Banff National Park".
  if (found === 'location' && end - start > 1 && tokens.slice(start, end).every(beginsCapital)) return false
  // In a list of key words or of food each is a thing of its own.
  if (before === ',' || before === ':' || before === '+') return isGood(tokens, start) && found !== 'unknown'
  return isGood(tokens, start) || found === undefined
}

/** "Ultra-Compact", "Dishwasher Safe", "Boho", "Entryway", and of a good that is no food "Vanilla Bean". */
function isSaidOfGood(tokens: readonly TaggedToken[], start: number, end: number, head: string): boolean {
  const last = wordAt(tokens, end - 1)
  const behindDash = last.slice(last.lastIndexOf('-') + 1)
  if (!isGood(tokens, start) && !isGoodFirst(tokens, start)) return false
  if (
    tagsOf(last)?.[0] === 'JJ' ||
    (behindDash !== last && /^(?:JJ|VB[GN])/.test(tagsOf(behindDash)?.[0] ?? ''))
  )
    return true
  return (
    isGood(tokens, start) && /^(?:food|plant)$/.test(visibility(head) ?? '') && !isFoodTitle(tokens, start)
  )
}

/** Whether nothing but looks, rooms and occasions stands between two signs: "Boho", "Bedroom Wedding Party". */
function isUse(tokens: readonly TaggedToken[], at: number): boolean {
  let start = at
  while (start > 0 && tokens[start - 1]?.isWord) if (!looks.has(wordAt(tokens, --start))) return false
  if (start === 0 || !/^[,|–—(/;•·-]$/.test(wordAt(tokens, start - 1))) return false
  for (let next = at; tokens[next]?.isWord; next++) if (!looks.has(wordAt(tokens, next))) return false
  return isGood(tokens, start) || isGoodFirst(tokens, start)
}

/** Whether a title begins with a thing that somebody made, in capitals: "Round Jute Rug, ...". */
function isGoodFirst(tokens: readonly TaggedToken[], start: number): boolean {
  const { length, plain } = firstRun(tokens)
  const end = Math.min(start, length)
  const last = tokens[end - 1]
  return (
    end > 1 &&
    beginsCapital(last) &&
    visibility(lemma(last?.word ?? '')) === 'artifact' &&
    !looks.has(last?.word ?? '') &&
    end <= plain
  )
}

/** How many words stand before the first sign, and how many tokens before the first preposition or article. */
const firstRun = captionFact((tokens) => ({
  length: placeOf(tokens, ({ isWord }) => !isWord),
  plain: placeOf(tokens, ({ tag }) => tag === 'IN' || tag === 'DT'),
}))

/** The first place of what is looked for; the length where it is nowhere. */
function placeOf(tokens: readonly TaggedToken[], is: (token: TaggedToken) => boolean): number {
  const at = tokens.findIndex(is)
  return at < 0 ? tokens.length : at
}

const isFoodTitle = (tokens: readonly TaggedToken[], start: number) => firstFood(tokens) < start
const firstFood = captionFact((tokens) => placeOf(tokens, ({ word }) => visibility(lemma(word)) === 'food'))

/** Whether the title before `start` names a good of a maker, or gives a measure. */
const isGood = (tokens: readonly TaggedToken[], start: number) =>
  firstMaker(tokens) < start || isMeasured(tokens)

const isMeasured = captionFact((tokens) =>
  tokens.some(
    ({ word }, at) =>
      (hasDigit(word) && isMeasure(word)) ||
      (isUnit(word) && hasDigit(wordAt(tokens, at - 1))) ||
      (/^(?:size|set)$/.test(word) && tokens.slice(at + 1, at + 3).some((token) => hasDigit(token.word))),
  ),
)

const firstMaker = captionFact((tokens) =>
  placeOf(
    tokens,
    ({ word, isName }) => (isName === true && visibility(word) === 'unknown') || makers.has(word),
  ),
)

const isSentence = captionFact((tokens) =>
  tokens.some(({ tag }) => tag === 'VBZ' || tag === 'VBP' || tag === 'VBD' || tag === 'MD'),
)
