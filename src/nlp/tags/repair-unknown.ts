import { lemma } from '../lexicon/lemma.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { tradeColours } from '../lexicon/qualities.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import { isAdjectiveLemma } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import {
  determinerOf,
  isModifier,
  isNoun,
  isPlural,
  isVerb,
  maxLookback,
  tagAt,
  wordAt,
} from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

/** What is worn or used for doing something: "gardening gloves", "cycling shorts". */
const gear = wordSet(
  `glove shorts shoe boot helmet pants trousers jersey gear glasses goggles jacket sock vest hat cap bag backpack tent
  tool pole tights leggings equipment mat rope harness suit costume outfit apron kit pan pot deck area room table chair
  bench machine board station pool`,
)
/** What is done with gear itself. */
const worn =
  /^(?:wear|hold|carry|us|hav|tak|pack|wash|hang|fix|clean|paint|fill|push|pull|show|includ|featur)/
/** Whom goods are for. */
const buyers = wordSet(
  'kids girls boys women men ladies babies toddlers adults teens guests players fans sports',
)
/** Meetings by the end of a verb. */
const meetings = wordSet('meeting briefing hearing wedding')
/** Adverbs that WordNet also has as adjectives, and captions do not. */
const adverbs = wordSet(
  `just only even still very so then now well right here there back away together apart down up out off in on over through
  about almost else ever far later long more most much next once too yet forth home indeed under after before`,
)

/** Mistakes in words that the lexicon does not have, or not with the tag that captions want. */
export const unknownRules: readonly TagRule[] = [
  // "keto-friendly crust", "face-framing layers": a compound with a hyphen before a noun.
  (tokens, at) =>
    /^(?:RB|VB.?)$/.test(tagAt(tokens, at)) &&
    (tagAt(tokens, at) !== 'VBG' || opens(tokens, at)) &&
    /\p{L}-\p{L}/u.test(wordAt(tokens, at)) &&
    (isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]))
      ? 'JJ'
      : undefined,
  // "a navy three-piece": the same where the phrase ends.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    /^(?:one|two|three|four|five)-/.test(wordAt(tokens, at)) &&
    isNoun(tokens[at - 1]) &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]))
      ? 'NN'
      : undefined,
  // "dimmable", "weatherproof".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    /.{3}(?:able|ible|less|proof)$/.test(wordAt(tokens, at)) &&
    tagsOf(wordAt(tokens, at)) === undefined &&
    !isOneOf(visibility(wordAt(tokens, at)), things)
      ? 'JJ'
      : undefined,
  // "barefoot bride".
  (tokens, at) =>
    tagAt(tokens, at) === 'RB' &&
    isNoun(tokens[at + 1]) &&
    opens(tokens, at) &&
    !/ly$/.test(wordAt(tokens, at)) &&
    !adverbs.has(wordAt(tokens, at)) &&
    isAdjectiveLemma(wordAt(tokens, at))
      ? 'JJ'
      : undefined,
  // "kitchen cabinets": no adjective ends in the -s of a thing.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    /[^su]s$/.test(wordAt(tokens, at)) &&
    isNoun(tokens[at - 1]) &&
    isOneOf(visibility(lemma(wordAt(tokens, at))), things) &&
    lemma(wordAt(tokens, at)) !== wordAt(tokens, at)
      ? 'NNS'
      : undefined,
  // "gardening gloves", "cycling shorts", where nobody does it.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    !worn.test(wordAt(tokens, at)) &&
    !isNoun(tokens[at + 2]) &&
    gear.has(lemma(wordAt(tokens, at + 1))) &&
    opens(tokens, at)
      ? 'JJ'
      : undefined,
  // "measuring cups and spoons set".
  (tokens, at) =>
    wordAt(tokens, at) === 'set' && isNoun(tokens[at - 1]) && !tokens[at + 1]?.isWord ? 'NN' : undefined,
  // "Climate activists block traffic on the road": where no other verb is.
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    isPlural(tokens[at - 1]) &&
    tagAt(tokens, at + 1) === 'NN' &&
    tagAt(tokens, at + 2) === 'IN' &&
    canBe(wordAt(tokens, at), 'VB') &&
    visibility(lemma(wordAt(tokens, at - 1))) === 'person' &&
    !buyers.has(wordAt(tokens, at - 1)) &&
    !tokens.some(isVerb)
      ? 'VBP'
      : undefined,
  // "a bee pollinating lavender, ...": what is done to it has no noun but itself.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    tagAt(tokens, at - 1) === 'VBG' &&
    !isOneOf(wordAt(tokens, at - 1), 'looking smelling tasting feeling being turning') &&
    !tradeColours.has(wordAt(tokens, at)) &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1])) &&
    isOneOf(visibility(wordAt(tokens, at)), 'plant food')
      ? 'NN'
      : undefined,
  // "Grey tabby, white paws": no adjective that the lexicon lacks.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]) || tagAt(tokens, at + 1) === 'CC') &&
    // "a sprig of lavender".
    (wordAt(tokens, at - 1) === 'of'
      ? !tradeColours.has(wordAt(tokens, at))
      : tagsOf(wordAt(tokens, at)) === undefined && !isAdjectiveLemma(wordAt(tokens, at))) &&
    isOneOf(visibility(wordAt(tokens, at)), 'animal plant food')
      ? 'NN'
      : undefined,
  // "a cabinet meeting", but "a man meeting fans".
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    meetings.has(wordAt(tokens, at)) &&
    isNoun(tokens[at - 1]) &&
    visibility(lemma(wordAt(tokens, at - 1))) !== 'person' &&
    determinerOf(tokens, at) !== undefined
      ? 'NN'
      : undefined,
  // "a 3-furrow plough", "the diver's watch".
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    (tagAt(tokens, at - 1) === 'POS' ||
      (isModifier(tokens[at - 1]) && !(tokens[at + 1]?.isWord && tagAt(tokens, at + 1) !== 'IN'))) &&
    visibility(wordAt(tokens, at)) === 'artifact'
      ? 'NN'
      : undefined,
  // "Map of the lake ferry stops": a plural that ends what a preposition leads to.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBZ' &&
    !tokens[at + 1]?.isWord &&
    isNoun(tokens[at - 1]) &&
    isNoun(tokens[at - 2]) &&
    canBe(lemma(wordAt(tokens, at)), 'NN') &&
    followsPreposition(tokens, at - 2)
      ? 'NNS'
      : undefined,
]

const things = 'artifact animal plant food'

/** Whether a phrase may begin at `at`, with nobody before it who does what is said there. */
const opens = (tokens: readonly TaggedToken[], at: number) =>
  at === 0 || isOneOf(tagAt(tokens, at - 1), 'DT PRP$ IN CC , SYM : JJ')

function followsPreposition(tokens: readonly TaggedToken[], at: number): boolean {
  let place = at
  while (place > Math.max(0, at - maxLookback) && (isNoun(tokens[place]) || isModifier(tokens[place])))
    place--
  return tagAt(tokens, place) === 'IN'
}
