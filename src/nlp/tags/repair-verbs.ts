import { lemma } from '../lexicon/lemma.js'
import { canBe, hasTag } from '../lexicon/lexicon.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import { isVerbLemma } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import {
  amongSmall,
  determinerOf,
  isDeterminer,
  isNoun,
  isPlural,
  isVerb,
  tagAt,
  textAt,
  textOf,
  wordAt,
} from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

/** -ing forms that are things too, where nobody does them to anything. */
const ingThings = wordSet(
  `advertising clothing frosting icing topping stuffing shelving railing bedding wiring piping lettering writing marking
  covering flooring siding molding paneling carving engraving wrapping padding awning scaffolding lining filling
  drawing dressing seating lighting netting fencing tubing foiling`,
)
/** What a thing that moves does, and a place is: "a train crossing under a bridge", "a railroad crossing". */
const ingPlaces = wordSet('crossing landing opening gathering')
const ways = wordSet('railroad railway rail road street pedestrian school deer level grade emergency')
/** Plurals of nouns that few captions mean: what a singular does with a place behind it. */
const motions = wordSet(
  'jumps leaps sits lies hangs goes flies swims grinds slides climbs crouches kneels leans hovers looms',
)
/** Animals whose plural has no ending. */
const herds = wordSet('sheep deer cattle zebra elk moose fish bison people')
const postures = wordSet('stand sit walk lie graze rest run look eat rest play wait feed drink sleep roam')
const aims = wordSet(
  `ready about trying going preparing prepares prepared waiting waits getting gets attempting attempts learning wants
  starting starts able set using used`,
)

/** Mistakes between verbs and nouns. */
export const verbRules: readonly TagRule[] = [
  // "can't", "isn't".
  (tokens, at) => (/n't$/.test(wordAt(tokens, at)) ? 'MD' : undefined),
  // "a bus that can't stop".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' && tagAt(tokens, at - 1) === 'MD' && isVerbLemma(wordAt(tokens, at))
      ? 'VB'
      : undefined,
  // "four sinks", "twin beds" behind a number.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBZ' &&
    tagAt(tokens, at - 1) === 'CD' &&
    !isOneOf(wordAt(tokens, at), 'is has does') &&
    canBe(lemma(wordAt(tokens, at)), 'NN')
      ? 'NNS'
      : undefined,
  // "as another catches a ball": "another" does not go with a plural.
  (tokens, at) =>
    isPlural(tokens[at]) && wordAt(tokens, at - 1) === 'another' && canBe(lemma(wordAt(tokens, at)), 'VB')
      ? 'VBZ'
      : undefined,
  // "a kid on skateboard jumps over a cone".
  (tokens, at) =>
    motions.has(wordAt(tokens, at)) &&
    isNoun(tokens[at]) &&
    // "a sprig of lavender lies across".
    (isNoun(tokens[at - 1]) || wordAt(tokens, at - 2) === 'of') &&
    isOneOf(tagAt(tokens, at + 1), 'IN RB TO RP')
      ? 'VBZ'
      : undefined,
  // "sits on a bench and watches the water".
  (tokens, at) =>
    isPlural(tokens[at]) &&
    tagAt(tokens, at - 1) === 'CC' &&
    isOneOf(tagAt(tokens, at + 1), 'DT PRP$') &&
    hasTag(lemma(wordAt(tokens, at)), 'VB VBP')
      ? 'VBZ'
      : undefined,
  // "Tag a friend", "Comment your answer": what a post tells its reader to do.
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    !tokens[at - 1]?.isWord &&
    /^\p{Lu}\p{Ll}/u.test(textAt(tokens, at)) &&
    (isOneOf(wordAt(tokens, at + 1), 'a an your someone') || isAim(tokens, at + 1)) &&
    isVerbLemma(wordAt(tokens, at))
      ? 'VB'
      : undefined,
  // "DM to book!", "Click to shop!": what for.
  (tokens, at) =>
    tagAt(tokens, at - 1) === 'TO' &&
    isNoun(tokens[at]) &&
    !tokens[at - 3]?.isWord &&
    isAim(tokens, at - 1) &&
    isVerbLemma(wordAt(tokens, at - 2))
      ? 'VB'
      : undefined,
  // "a bus with advertising on it", but "a man carving a bear".
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    ingThings.has(wordAt(tokens, at)) &&
    !isDeterminer(tokens[at + 1]) &&
    !isBeing(tokens[at - 1])
      ? 'NN'
      : undefined,
  (tokens, at) =>
    ingPlaces.has(wordAt(tokens, at)) &&
    isNoun(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    tagAt(tokens, at + 1) === 'IN' &&
    wordAt(tokens, at + 1) !== 'of' &&
    !ways.has(wordAt(tokens, at - 1))
      ? 'VBG'
      : undefined,
  // "two sheep walk in a line".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    postures.has(wordAt(tokens, at)) &&
    herds.has(wordAt(tokens, at - 1)) &&
    !isOneOf(determinerOf(tokens, at)?.word, 'a an one')
      ? 'VBP'
      : undefined,
  // "a slice cut out of it", "a pizza cut into slices".
  (tokens, at) =>
    wordAt(tokens, at) === 'cut' && isNoun(tokens[at - 1]) && isOneOf(tagAt(tokens, at + 1), 'IN RP RB')
      ? 'VBN'
      : undefined,
  // "a woman put on a tie", "helping someone get on".
  (tokens, at) =>
    isOneOf(wordAt(tokens, at), 'put get let take make') && isNoun(tokens[at]) ? 'VB' : undefined,
  // "ready to swing", but "to school".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    tagAt(tokens, at - 1) === 'TO' &&
    aims.has(wordAt(tokens, at - 2)) &&
    canBe(wordAt(tokens, at), 'VB') &&
    !isNoun(tokens[at + 1])
      ? 'VB'
      : undefined,
  // "being fed leaves": done to what came before, no quality of what comes next.
  (tokens, at) =>
    (tagAt(tokens, at) === 'VBN' || tagAt(tokens, at) === 'JJ') &&
    isOneOf(wordAt(tokens, at - 1), 'being been') &&
    hasTag(wordAt(tokens, at), 'VBD VBN')
      ? 'VBD'
      : undefined,
  // "a night stand", "apples, snap peas": what looks like a verb makes a compound that WordNet has.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    isNoun(tokens[at + 1]) &&
    opensCompound(tokens[at - 1]) &&
    isThing(`${wordAt(tokens, at)}_${lemma(wordAt(tokens, at + 1))}`)
      ? 'NN'
      : undefined,
  // "pillows with a night stand": a bare verb that ends a phrase of the singular.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    canBe(wordAt(tokens, at), 'NN') &&
    tagAt(tokens, at - 1) === 'NN' &&
    isOneOf(wordAt(tokens, at - 2), 'a an') &&
    tagAt(tokens, at - 3) === 'IN' &&
    !tokens[at + 1]?.isWord
      ? 'NN'
      : undefined,
  // "a gold chain strap isolated": what the lexicon knows as a verb alone, and WordNet as a thing.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    tagAt(tokens, at - 1) === 'NN' &&
    !canBe(wordAt(tokens, at), 'NN') &&
    visibility(wordAt(tokens, at)) === 'artifact' &&
    !(isDeterminer(tokens[at + 1]) || /^(?:PRP|TO|CD|JJ|NN.*)$/.test(tagAt(tokens, at + 1)))
      ? 'NN'
      : undefined,
  // "the bag's handles".
  (tokens, at) =>
    tagAt(tokens, at) === 'VBZ' && tagAt(tokens, at - 1) === 'POS' && canBe(lemma(wordAt(tokens, at)), 'NN')
      ? 'NNS'
      : undefined,
  // "a hedge trimmer": no comparative.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJR' && isNoun(tokens[at - 1]) && visibility(wordAt(tokens, at)) === 'artifact'
      ? 'NN'
      : undefined,
  // "in Little Italy": a name among words that begin small.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'RB VB VBD VBN VBG VBP VBZ MD IN') &&
    isCapital(tokens[at]) &&
    at > 1 &&
    (isCapital(tokens[at - 1]) || (isCapital(tokens[at + 1]) && tagAt(tokens, at) !== 'IN')) &&
    tokens[at - 1]?.isWord &&
    amongSmall(tokens, at) &&
    !isVerb(tokens[at + 1])
      ? 'NNP'
      : undefined,
]

const isBeing = (token: TaggedToken | undefined) =>
  isNoun(token) || isOneOf(token?.word, 'is are was were be being been PRP')

const opensCompound = (token: TaggedToken | undefined) =>
  token === undefined || !token.isWord || isOneOf(token.tag, 'DT PRP$ IN JJ CD VBG CC')

/** Whether WordNet has the compound, as something to be seen. */
function isThing(compound: string): boolean {
  const found = visibility(compound)
  return found !== undefined && found !== 'unknown' && found !== 'listed'
}

const isCapital = (token: TaggedToken | undefined) => /^\p{Lu}\p{Ll}/u.test(textOf(token))

/** "to shop" before a sign, in small letters. */
const isAim = (tokens: readonly TaggedToken[], at: number) =>
  textAt(tokens, at) === 'to' &&
  textAt(tokens, at + 1) === wordAt(tokens, at + 1) &&
  isVerbLemma(wordAt(tokens, at + 1)) &&
  !tokens[at + 2]?.isWord
