import { lemma } from '../lexicon/lemma.js'
import { canBe } from '../lexicon/lexicon.js'
import { isOneOf } from '../lexicon/word-set.js'
import type { TaggedToken } from './tag.js'
import {
  determinerOf,
  isAdjective,
  isAdverb,
  isDeterminer,
  isModifier,
  isNoun,
  isPlural,
  isVerb,
  joinLength,
  maxLookback,
  tagAt,
  wordAt,
} from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

/** Compounds whose first part looks like what somebody does. */
const ingCompounds = new Set(
  `parking meter,parking lot,parking space,parking garage,parking spot,cutting board,dining room,dining table,
  dining area,living room,living area,living space,swimming pool,swimming suit,swimming trunks,washing machine,
  frying pan,baking sheet,baking pan,baking dish,shopping cart,shopping bag,shopping center,shopping mall,
  sewing machine,sleeping bag,rocking chair,rocking horse,running shoe,walking stick,boarding pass,landing gear,
  landing strip,landing field,stuffing machine,batting cage,batting helmet,racing bike,racing car,riding boot,
  riding helmet,fishing boat,fishing pole,fishing rod,sailing boat,sailing ship,skating rink,skating park,
  skiing slope,wrapping paper,writing desk,reading glass,reading lamp,drinking glass,drinking fountain,cooking pot,
  mixing bowl,mixing machine,serving tray,serving dish,serving plate,serving bowl,hiking boot,hiking trail,
  waiting room,waiting area,changing table,measuring cup,measuring tape,ironing board,watering can,lighting fixture,
  seating area,sitting room,sitting area,bathing suit,building block,crossing sign,warning sign,vending machine,
  sliding door,folding chair,folding table,soldering iron,weeping willow,training wheel,carrying case,climbing wall,climbing gym,diving board,
  gaming chair,gaming mouse,gaming keyboard,gaming pc,gaming laptop,gaming headset,gaming desk,camping tent,camping chair,
  boxing glove,boxing ring,shooting range,skipping rope,jumping rope,rowing boat,racing suit,shopping list,
  talking point,flying saucer,landing page,loading dock,printing press,rolling pin,hunting dog,hunting rifle,
  riding hat,trading card,wading pool,paddling pool,dressing gown,dressing table,dressing room,chewing gum,knitting needle,greeting card,coloring book,charging port,charging cable,charging station,charging case`
    .split(',')
    .map((pair) => pair.trim()),
)
/** "a snow covered slope", "a heart shaped box": these join a noun to the noun behind them. */
const joinedParticiples = new Set(
  `covered filled lined topped shaped colored coloured themed sized flavored flavoured lit drawn fried baked framed
  capped haired tiled paneled stained based frosted
  glazed dipped aged painted carved`.split(/\s+/),
)
/** Nouns that are said of a surface beside adjectives: "a silver and black train". */
const materials = new Set(
  'silver gold bronze copper metal steel wood brick plastic stone glass concrete leather'.split(' '),
)
/** Orange is as often a fruit. */
const colours = new Set('black white red green blue brown yellow pink purple gray grey'.split(' '))
/** What two that are joined by "and" do; other bare verbs behind a noun make a compound. */
const postures = new Set(
  'stand sit walk lie pose graze play ride run look watch eat rest swim wait'.split(' '),
)
const auxiliary = new Set('is are was were be been has have had do does did can will may'.split(' '))

/** Mistakes inside noun phrases; for words that are no auxiliary. */
export const compoundRules: readonly TagRule[] = [
  (tokens, at) =>
    wordAt(tokens, at).endsWith('ing') &&
    isNoun(tokens[at + 1]) &&
    ingCompounds.has(`${wordAt(tokens, at)} ${lemma(wordAt(tokens, at + 1))}`)
      ? 'NN'
      : undefined,
  // "and steering wheel": a compound that WordNet has, where nobody does it.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    !isOneOf(
      wordAt(tokens, at),
      'holding eating wearing carrying using having taking riding sitting looking walking standing running playing driving pulling pushing',
    ) &&
    (at === 0 || isOneOf(tagAt(tokens, at - 1), 'IN CC DT JJ ,')) &&
    isNoun(tokens[at + 1]) &&
    visibility(`${wordAt(tokens, at)}_${lemma(wordAt(tokens, at + 1))}`) === 'artifact'
      ? 'NN'
      : undefined,
  (tokens, at) =>
    isNoun(tokens[at]) &&
    joinedParticiples.has(wordAt(tokens, at + 1)) &&
    // Not "a bus painted white".
    (isNoun(tokens[at + 2]) ||
      (isAdjective(tokens[at + 2]) && (isNoun(tokens[at + 3]) || !colours.has(wordAt(tokens, at + 2)))))
      ? 'JJ'
      : undefined,
  (tokens, at) =>
    joinedParticiples.has(wordAt(tokens, at)) &&
    isVerb(tokens[at]) &&
    isAdjective(tokens[at - 1]) &&
    opensNoun(tokens[at + 1])
      ? 'JJ'
      : undefined,
  (tokens, at) => {
    if (!isNoun(tokens[at]) || !materials.has(wordAt(tokens, at))) return undefined
    const join = joinLength(tokens, at + 1)
    const joinsOn = join > 0 && isAdjective(tokens[at + 1 + join]) && isNoun(tokens[at + 2 + join])
    const joinedTo = tagAt(tokens, at - 1) === 'CC' && isAdjective(tokens[at - 2]) && isNoun(tokens[at + 1])
    return joinsOn || joinedTo ? 'JJ' : undefined
  },
  // "a fenced off area".
  (tokens, at) =>
    wordAt(tokens, at) === 'off' && /ed$/.test(wordAt(tokens, at - 1)) && isNoun(tokens[at + 1])
      ? 'JJ'
      : undefined,
  // "the left half", "a cutting board", "with rusted doors": a participle before a noun.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VBN VBD VBG') && opensNoun(tokens[at + 1]) && leadsToNoun(tokens, at)
      ? 'JJ'
      : undefined,
  // "a bathroom with sinks": a plural behind a preposition.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBZ' &&
    isOneOf(wordAt(tokens, at - 1), 'with of in on at by near for from under over behind between without') &&
    canBe(wordAt(tokens, at), 'NN')
      ? 'NNS'
      : undefined,
  // "their faces", "its bed", "the crossing": what follows a determiner and is not an adjective.
  (tokens, at) => {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    if (!/^VB/.test(tag) || !isDeterminer(tokens[at - 1]) || isOneOf(wordAt(tokens, at - 1), 'all both'))
      return undefined
    if (tag === 'VBZ') return canBe(lemma(word), 'NN') ? 'NNS' : undefined
    return opensNoun(tokens[at + 1]) && isOneOf(tag, 'VBN VBD VBG') ? undefined : 'NN'
  },
  // "a bus stop", "a light pole", "a teddy bear in": a bare verb behind a singular noun, unless many act.
  (tokens, at) => {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    if (
      !(isOneOf(tag, 'VB VBP') || (word === 'set' && !inPlace(tokens[at + 1]))) ||
      !canBe(word, 'NN') ||
      !isNoun(tokens[at - 1])
    )
      return undefined
    if (isPlural(tokens[at - 1]) || pluralWaits(tokens, at - 1)) return undefined
    if (postures.has(word) && isJoined(tokens, at)) return undefined
    return isDeterminer(tokens[at + 1]) || isOneOf(tagAt(tokens, at + 1), 'PRP TO CD') ? undefined : 'NN'
  },
  // "his-and-hers sinks": a plural behind an adjective that ends what is said.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBZ' &&
    isAdjective(tokens[at - 1]) &&
    !tokens[at + 1]?.isWord &&
    canBe(lemma(wordAt(tokens, at)), 'NN')
      ? 'NNS'
      : undefined,
  // "a yellow duck", "a black tear drop": the same behind an adjective.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP VBZ') &&
    canBe(wordAt(tokens, at), 'NN') &&
    isAdjective(tokens[at - 1]) &&
    !isDeterminer(tokens[at + 1]) &&
    !(tagAt(tokens, at) === 'VBZ' && isNoun(tokens[at + 1]))
      ? tagAt(tokens, at) === 'VBZ'
        ? 'NNS'
        : 'NN'
      : undefined,
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VBD VBN') &&
    canBe(wordAt(tokens, at), 'NN') &&
    isModifier(tokens[at - 1]) &&
    determinerOf(tokens, at) !== undefined &&
    !isNoun(tokens[at + 1])
      ? 'NN'
      : undefined,
  // "Wrench, best quality": the whole of what is said up to a sign.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    canBe(wordAt(tokens, at), 'NN') &&
    !tokens[at - 1]?.isWord &&
    !tokens[at + 1]?.isWord
      ? 'NN'
      : undefined,
  // "the orange key in": an adjective where the phrase's noun must be.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    canBe(wordAt(tokens, at), 'NN') &&
    !colours.has(wordAt(tokens, at)) &&
    !isNoun(tokens[at - 1]) &&
    determinerOf(tokens, at) !== undefined &&
    !goesOn(tokens, at + 1)
      ? 'NN'
      : undefined,
]

/** Verbs that nothing in a caption makes a noun: the rules for compounds leave them alone. */
export const isAuxiliary = (word: string): boolean => auxiliary.has(word)

const inPlace = (after: TaggedToken | undefined) => isOneOf(after?.tag, 'IN TO RB RP')
const opensNoun = (token: TaggedToken | undefined) => isNoun(token) || /^JJ/.test(token?.tag ?? '')

/** Whether a participle here belongs to the noun behind it: "a broken", "of broken", "red broken". */
function leadsToNoun(tokens: readonly TaggedToken[], at: number): boolean {
  const before = tokens[at - 1]
  if (isDeterminer(before) || isModifier(before)) return true
  // "Cracked phone screen".
  if (before === undefined) return tagAt(tokens, at) === 'VBD' && wordAt(tokens, at).endsWith('ed')
  return tagAt(tokens, at) === 'VBD' && isOneOf(before?.tag, 'IN CC RB ,')
}

/** Whether an adjective before `at` goes on to a noun over what is there. */
function goesOn(tokens: readonly TaggedToken[], at: number): boolean {
  const join = joinLength(tokens, at)
  const next = tokens[at + join]
  if (next?.word === 'next') return false
  // "a tall glass, top view".
  if (join > 0 && wordAt(tokens, at + join + 1) === 'view') return false
  return join > 0
    ? isAdjective(next) || isAdverb(next)
    : isNoun(next) || isModifier(next) || isAdverb(next) || next?.tag === 'VBG'
}

/** Whether a plural before `at`, in the same clause, has no verb yet: "two men in a boat fish". */
function pluralWaits(tokens: readonly TaggedToken[], at: number): boolean {
  for (let place = at - 1; place >= Math.max(0, at - maxLookback); place--) {
    if (isOneOf(tagAt(tokens, place), '. ; : ! ?') || isOneOf(tagAt(tokens, place), 'VBP VBZ VBD MD'))
      return false
    if (isPlural(tokens[place])) return true
  }
  return false
}

/** Whether the noun phrase before `at` is joined to one before it: "a zebra and a giraffe". */
function isJoined(tokens: readonly TaggedToken[], at: number): boolean {
  let place = at - 1
  const stop = Math.max(0, at - maxLookback)
  while (place > stop && (isNoun(tokens[place]) || isModifier(tokens[place]) || isDeterminer(tokens[place])))
    place--
  return tagAt(tokens, place) === 'CC' && isNoun(tokens[place - 1])
}
