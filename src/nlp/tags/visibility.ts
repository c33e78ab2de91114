import { lemma } from '../lexicon/lemma.js'
import { tagsOf } from '../lexicon/lexicon.js'
import { makers } from '../lexicon/makers.js'
import { hasDigit } from '../lexicon/units.js'
import { type NounFile, nounSenses } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import { amongSmall, textAt, wordAt } from './tag-patterns.js'

/**
 * Files of WordNet whose nouns a picture can show. Weather and smoke are phenomena, and a line is a shape.
 */
const visibleFiles: ReadonlySet<NounFile> = new Set([
  ...(['animal', 'artifact', 'body', 'food', 'group', 'location', 'object', 'person'] as const),
  ...(['phenomenon', 'plant', 'shape', 'substance', 'tops'] as const),
])

/** Nouns that name visible things in captions, though most of their senses in WordNet are not visible. */
const visibleNouns: ReadonlySet<string> = new Set(
  `wave racket sign signal stoplight signpost windsock baseball book novel tv television coin money cash bill ticket
  stamp card postcard receipt certificate award badge booklet brochure leaflet flyer pamphlet manual newspaper magazine
  note notebook notepad page document paperwork memo list timetable menu map chart diagram advertisement advertising ad billboard
  banner word text letter message name number numeral digit logo symbol label tag sticker graffiti emblem writing
  wording lettering marking inscription headline article poster photo picture painting portrait image artwork
  caricature statue memorabilia step vanity cabinetry framework blockade surf sunset sunrise smile grin splash spray
  ripple droplet reflection shadow fire campfire flame firework glitter clutter debris overgrowth median meter yard
  supply exhibit arrangement stripe accent obstacle item object thing product accessory belonging good
  merchandise gift toy flower blossom garland footprint track trail landscape scenery habitat environment wildlife
  patch crossing intersection dot spot hole crack gap opening slice dollop bushel procession parade picnic party crowd
  gathering vegetable fruit meal breakfast lunch dinner snack dessert dish serving portion topping icing frosting
  filling drink toilette wildfire blaze explosion prototype bundle manicure pedicure hairstyle haircut makeup playmat avalanche case placard signature sample title wallpaper invitation graph voucher coupon passport
  license licence diploma contract invoice flashcard manga textbook dictionary encyclopedia bible cheque banknote penny
  medal asterisk hieroglyph rune smudge bruise scar birthmark autograph fingerprint postmark insignia buoy pennant`.split(
    /\s+/,
  ),
)

/**
 * A file of WordNet, `listed` for a noun that is known from captions, `unknown` for one that nothing is known
 * of.
 */
export type Visible = NounFile | 'listed' | 'unknown'

/**
 * What of the noun phrase of tokens `start` to `end` can be seen, by its head, or where that cannot be seen
 * by the compound that it ends: a range is an idea, a "mountain range" is there. Undefined where neither can.
 */
export function visibleAs(tokens: readonly TaggedToken[], start: number, end: number): Visible | undefined {
  const head = lemma(wordAt(tokens, end - 1))
  if (isNamed(tokens, start, end) || isCoinName(tokens, start, end, head)) return 'unknown'
  return visibility(head) ?? (end - start > 1 ? compoundVisibility(wordAt(tokens, end - 2), head) : undefined)
}

/** "a portrait of Anna": what WordNet has for foreign coins alone, in a capital. */
const isCoinName = (tokens: readonly TaggedToken[], start: number, end: number, head: string) =>
  end - start === 1 &&
  start > 0 &&
  /^\p{Lu}\p{Ll}/u.test(textAt(tokens, start)) &&
  tagsOf(head) === undefined &&
  visibility(head) === undefined &&
  nounSenses(head).every(({ file }) => file === 'quantity')

/**
 * Whether a phrase is the own name of something: "iPhone 13", "President Emmanuel Macron", "a Volkswagen Golf".
 * Where a part of a name is a maker or is in no dictionary, what its last word means as a noun counts for
 * nothing. Titles are names throughout, and tell nothing so.
 */
export function isNamed(tokens: readonly TaggedToken[], start: number, end: number): boolean {
  const last = tokens[end - 1]
  if (!last?.isName) return false
  if (hasDigit(last.word)) return true
  const inSentence = amongSmall(tokens, end - 1)
  return tokens.slice(start, end - 1).some(({ isName, word }) => {
    const found = isName ? visibility(lemma(word)) : undefined
    return (
      (found === 'unknown' && (inSentence || isOnlyName(tokens, end))) ||
      (isName && makers.has(word)) ||
      (found === 'person' &&
        (tagsOf(word) === undefined || visibility(wordAt(tokens, end - 2)) === 'unknown'))
    )
  })
}

/** "Emmanuel Macron": two capitals of which the second is in no newspaper's lexicon, and no thing. */
const isOnlyName = (tokens: readonly TaggedToken[], end: number) => {
  const word = wordAt(tokens, end - 1)
  return tagsOf(word) === undefined && visibility(word) === undefined && !/(?:ing|ion|ness|ism)s?$/.test(word)
}

/** Words that captions often write as two. */
const openCompounds: ReadonlySet<string> = new Set(
  'walk_way run_way path_way drive_way hall_way door_way side_walk cross_walk board_walk card_board board_game card_game pendant_lighting track_lighting question_mark exclamation_mark check_mark'.split(
    ' ',
  ),
)

/** What can be seen of a compound that WordNet has and whose head alone is an idea, or undefined. */
export function compoundVisibility(modifier: string, head: string): Visible | undefined {
  if (openCompounds.has(`${modifier}_${head}`)) return 'listed'
  const found = visibility(`${modifier}_${head}`)
  return found === 'unknown' ? undefined : found
}

/** The smallest share of a noun's uses that must be visible for it to be asked for. */
const minVisibleShare = 0.1
/** Enough for the frequent nouns of any corpus; rare ones are looked up again. */
const cacheSize = 50_000
const cache = new Map<string, Visible | undefined>()

/**
 * What of a noun can be seen, or undefined for one that only names something done, thought or felt. Its
 * senses are weighted by how often they came in WordNet's tagged texts, those that never did by a half.
 *
 * @param lemma lower case, words of a compound joined by "_"
 */
export function visibility(lemma: string): Visible | undefined {
  if (cache.has(lemma)) return cache.get(lemma)
  const found = lookUp(lemma)
  if (cache.size >= cacheSize) cache.clear()
  cache.set(lemma, found)
  return found
}

function lookUp(lemma: string): Visible | undefined {
  if (visibleNouns.has(lemma)) return 'listed'
  const weights = new Map<NounFile, number>()
  let total = 0
  let visible = 0
  for (const { file, count } of nounSenses(lemma)) {
    const weight = count + 0.5
    total += weight
    if (!visibleFiles.has(file)) continue
    visible += weight
    weights.set(file, (weights.get(file) ?? 0) + weight)
  }
  if (total === 0) return 'unknown'
  if (visible / total < minVisibleShare) return undefined
  return [...weights].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}
