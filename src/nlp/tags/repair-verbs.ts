import { lemma } from '../lexicon/lemma.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { isVerbLemma } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import { determinerOf, isDeterminer, isNoun, isPlural, isVerb, reach } from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** -ing forms that are things too, where nobody does them to anything. */
const ingThings = list(
  `advertising clothing frosting icing topping stuffing shelving railing bedding wiring piping lettering writing marking
  covering flooring siding molding paneling carving engraving wrapping padding awning scaffolding lining filling
  drawing dressing seating lighting netting fencing tubing foiling`,
)
/** What a thing that moves does, and a place is: "a train crossing under a bridge", "a railroad crossing". */
const ingPlaces = list('crossing landing opening gathering')
const ways = list('railroad railway rail road street pedestrian school deer level grade emergency')
/** Plurals of nouns that few captions mean: what a singular does with a place behind it. */
const motions = list(
  'jumps leaps sits lies hangs goes flies swims grinds slides climbs crouches kneels leans hovers looms',
)
/** Animals that are many without an ending. */
const herds = list('sheep deer cattle zebra elk moose fish bison people')
const postures = list('stand sit walk lie graze rest run look eat rest play wait feed drink sleep roam')
const aims = list(
  `ready about trying going preparing prepares prepared waiting waits getting gets attempting attempts learning wants
  starting starts able set using used`,
)

/** Mistakes between what is done and what is there. */
export const verbRules: readonly TagRule[] = [
  // "can't", "isn't".
  (tokens, at) => (/n't$/.test(tokens[at].word) ? 'MD' : undefined),
  // "a bus that can't stop".
  (tokens, at) =>
    tokens[at].tag === 'NN' && tokens[at - 1]?.tag === 'MD' && isVerbLemma(tokens[at].word)
      ? 'VB'
      : undefined,
  // "four sinks", "twin beds" behind a number.
  (tokens, at) =>
    tokens[at].tag === 'VBZ' &&
    tokens[at - 1]?.tag === 'CD' &&
    !/^(?:is|has|does)$/.test(tokens[at].word) &&
    canBe(lemma(tokens[at].word), 'NN')
      ? 'NNS'
      : undefined,
  // "as another catches a ball": "another" does not go with a plural.
  (tokens, at) =>
    isPlural(tokens[at]) && tokens[at - 1]?.word === 'another' && canBe(lemma(tokens[at].word), 'VB')
      ? 'VBZ'
      : undefined,
  // "a kid on skateboard jumps over a cone".
  (tokens, at) =>
    motions.has(tokens[at].word) &&
    isNoun(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    /^(?:IN|RB|TO|RP)$/.test(tokens[at + 1]?.tag ?? '')
      ? 'VBZ'
      : undefined,
  // "sits on a bench and watches the water".
  (tokens, at) =>
    isPlural(tokens[at]) &&
    tokens[at - 1]?.tag === 'CC' &&
    /^(?:DT|PRP\$)$/.test(tokens[at + 1]?.tag ?? '') &&
    tagsOf(lemma(tokens[at].word))?.some((tag) => /^VBP?$/.test(tag))
      ? 'VBZ'
      : undefined,
  // "a bus with advertising on it", but "a man carving a bear".
  (tokens, at) =>
    tokens[at].tag === 'VBG' &&
    ingThings.has(tokens[at].word) &&
    !isDeterminer(tokens[at + 1]) &&
    !isBeing(tokens[at - 1])
      ? 'NN'
      : undefined,
  (tokens, at) =>
    ingPlaces.has(tokens[at].word) &&
    isNoun(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    tokens[at + 1]?.tag === 'IN' &&
    tokens[at + 1].word !== 'of' &&
    !ways.has(tokens[at - 1].word)
      ? 'VBG'
      : undefined,
  // "two sheep walk in a line".
  (tokens, at) =>
    tokens[at].tag === 'NN' &&
    postures.has(tokens[at].word) &&
    herds.has(tokens[at - 1]?.word) &&
    !/^(?:a|an|one)$/.test(determinerOf(tokens, at)?.word ?? '')
      ? 'VBP'
      : undefined,
  // "a slice cut out of it", "a pizza cut into slices".
  (tokens, at) =>
    tokens[at].word === 'cut' && isNoun(tokens[at - 1]) && /^(?:IN|RP|RB)$/.test(tokens[at + 1]?.tag ?? '')
      ? 'VBN'
      : undefined,
  // "a woman put on a tie", "helping someone get on".
  (tokens, at) =>
    /^(?:put|get|let|take|make)$/.test(tokens[at].word) && isNoun(tokens[at]) ? 'VB' : undefined,
  // "ready to swing", but "to school".
  (tokens, at) =>
    tokens[at].tag === 'NN' &&
    tokens[at - 1]?.tag === 'TO' &&
    aims.has(tokens[at - 2]?.word) &&
    canBe(tokens[at].word, 'VB') &&
    !isNoun(tokens[at + 1])
      ? 'VB'
      : undefined,
  // "being fed leaves": done to what came before, no quality of what comes next.
  (tokens, at) =>
    (tokens[at].tag === 'VBN' || tokens[at].tag === 'JJ') &&
    /^(?:being|been)$/.test(tokens[at - 1]?.word ?? '') &&
    tagsOf(tokens[at].word)?.some((tag) => /^VB[DN]$/.test(tag))
      ? 'VBD'
      : undefined,
  // "a night stand", "apples, snap peas": what looks like a verb makes a compound that WordNet has.
  (tokens, at) =>
    /^VBP?$/.test(tokens[at].tag) &&
    isNoun(tokens[at + 1]) &&
    opensCompound(tokens[at - 1]) &&
    isThing(`${tokens[at].word}_${lemma(tokens[at + 1].word)}`)
      ? 'NN'
      : undefined,
  // "pillows with a night stand": a bare verb that ends a phrase of the singular.
  (tokens, at) =>
    /^VBP?$/.test(tokens[at].tag) &&
    canBe(tokens[at].word, 'NN') &&
    tokens[at - 1]?.tag === 'NN' &&
    /^(?:a|an)$/.test(tokens[at - 2]?.word ?? '') &&
    tokens[at - 3]?.tag === 'IN' &&
    !tokens[at + 1]?.isWord
      ? 'NN'
      : undefined,
  // "in Little Italy": a name among words that begin small.
  (tokens, at) =>
    /^(?:RB|VB[DNGPZ]?|MD|IN)$/.test(tokens[at].tag) &&
    isCapital(tokens[at]) &&
    at > 1 &&
    (isCapital(tokens[at - 1]) || (isCapital(tokens[at + 1]) && tokens[at].tag !== 'IN')) &&
    tokens[at - 1].isWord &&
    amongSmall(tokens, at)
      ? 'NNP'
      : undefined,
]

const isBeing = (token: TaggedToken | undefined) =>
  isNoun(token) || /^(?:is|are|was|were|be|being|been|PRP)$/.test(token?.word ?? '')

const opensCompound = (token: TaggedToken | undefined) =>
  token === undefined || !token.isWord || /^(?:DT|PRP\$|IN|JJ|CD|VBG|CC)$/.test(token.tag)

/** Whether WordNet has the compound, as something to be seen. */
function isThing(compound: string): boolean {
  const found = visibility(compound)
  return found !== undefined && found !== 'unknown' && found !== 'listed'
}

const isCapital = (token: TaggedToken | undefined) => /^\p{Lu}\p{Ll}/u.test(token?.text ?? '')

/** Whether most words nearby begin small: not so in a title. */
function amongSmall(tokens: readonly TaggedToken[], at: number): boolean {
  let [small, words] = [0, 0]
  for (let place = Math.max(0, at - reach); place < Math.min(tokens.length, at + reach); place++) {
    if (!tokens[place].isWord) continue
    words++
    if (/^\p{Ll}/u.test(tokens[place].text)) small++
  }
  return small * 2 > words && !isVerb(tokens[at + 1])
}
