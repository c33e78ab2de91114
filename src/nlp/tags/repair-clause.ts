import { lemma } from '../lexicon/lemma.js'
import { startsCapital } from '../lexicon/letter-case.js'
import { canBe } from '../lexicon/lexicon.js'
import { isOneOf } from '../lexicon/word-set.js'
import { isVerbLemma } from '../lexicon/wordnet.js'
import type { TaggedToken } from './tag.js'
import {
  isDeterminer,
  isModifier,
  isNoun,
  isPlural,
  maxLookback,
  tagAt,
  textAt,
  wordAt,
} from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

/** Who acts in captions; a plural in -s behind one of them is what they do. */
const actors = new Set(
  `man woman boy girl guy lady kid child baby toddler person player surfer skier skateboarder snowboarder rider driver
  chef batter pitcher catcher couple dog cat horse bird elephant giraffe zebra cow sheep bear actor athlete`.split(
    /\s+/,
  ),
)
/** Plurals that stand before another noun: "a sports car". */
const attributive = new Set('sports clothes savings arts goods mens womens'.split(' '))
const one = new Set('a an this that each every another one'.split(' '))
const many = new Set('few dozen hundred thousand couple many'.split(' '))

/** What also cars and boats do. */
const motions = new Set('queue race float sail'.split(' '))

/** Mistakes between nouns and verbs of a clause. */
export const clauseRules: readonly TagRule[] = [
  // "this shows a cat", "that looks": "these" would go with a plural.
  (tokens, at) =>
    isPlural(tokens[at]) &&
    isOneOf(wordAt(tokens, at - 1), 'this that it he she which who') &&
    (canBe(lemma(wordAt(tokens, at)), 'VB') || wordAt(tokens, at) === 'leaves')
      ? 'VBZ'
      : undefined,
  // "a firefighter sprays water", "LeBron James (23) drives to".
  (tokens, at) =>
    isPlural(tokens[at]) &&
    isAction(wordAt(tokens, at)) &&
    ((isPerson(tokens, at - 1) && isOne(tokens, at) && isNoun(tokens[at + 1])) ||
      (wordAt(tokens, at - 1) === ')' && isOneOf(tagAt(tokens, at + 1), 'IN TO DT')))
      ? 'VBZ'
      : undefined,
  // "protesters hold placards".
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'NN VB VBP') &&
    isPlural(tokens[at - 1]) &&
    isPerson(tokens, at - 1) &&
    !attributive.has(wordAt(tokens, at - 1)) &&
    // "wave Catalan flags".
    (isPlural(tokens[at + 1]) ||
      ((tagAt(tokens, at + 1) === 'JJ' || startsCapital(textAt(tokens, at + 1))) &&
        isPlural(tokens[at + 2]))) &&
    isVerbLemma(wordAt(tokens, at)) &&
    !startsCapital(textAt(tokens, at))
      ? 'VBP'
      : undefined,
  // "Voters queue outside", "Penguins waddle ashore": where a caption begins.
  (tokens, at) =>
    at === 1 &&
    tagAt(tokens, 1) === 'NN' &&
    isPlural(tokens[0]) &&
    (isOneOf(visibility(lemma(wordAt(tokens, 0))), 'person animal') || motions.has(wordAt(tokens, 1))) &&
    !attributive.has(wordAt(tokens, 0)) &&
    isVerbLemma(wordAt(tokens, 1)) &&
    isOneOf(tagAt(tokens, 2), 'IN RB TO PRP$')
      ? 'VBP'
      : undefined,
  // "Beyoncé shares first": a name of one word that does something.
  (tokens, at) =>
    at === 1 &&
    isPlural(tokens[1]) &&
    tagAt(tokens, 0) === 'NN' &&
    startsCapital(textAt(tokens, 0)) &&
    visibility(wordAt(tokens, 0)) === 'unknown' &&
    canBe(lemma(wordAt(tokens, 1)), 'VB') &&
    isOneOf(tagAt(tokens, 2), 'JJ DT PRP$ IN TO CD')
      ? 'VBZ'
      : undefined,
  // "his jersey bears the number".
  (tokens, at) =>
    isPlural(tokens[at]) &&
    tagAt(tokens, at - 1) === 'NN' &&
    isDeterminer(tokens[at - 2]) &&
    tagAt(tokens, at + 1) === 'DT' &&
    isVerbLemma(lemma(wordAt(tokens, at)))
      ? 'VBZ'
      : undefined,
  // "a man lounges on a bench": "a" does not go with a plural.
  (tokens, at) =>
    isPlural(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    !isNoun(tokens[at + 1]) &&
    isAction(wordAt(tokens, at)) &&
    isOne(tokens, at)
      ? 'VBZ'
      : undefined,
  // "man rides a wave", "dog jumps over": the same without a determiner.
  (tokens, at) =>
    isPlural(tokens[at]) &&
    isNoun(tokens[at - 1]) &&
    isAction(wordAt(tokens, at)) &&
    (isDeterminer(tokens[at + 1]) ||
      (actors.has(wordAt(tokens, at - 1)) && isOneOf(tagAt(tokens, at + 1), 'IN RB TO VBG PRP')))
      ? 'VBZ'
      : undefined,
  // "two dogs chase a frisbee", "birds perch on": a noun that can be a verb behind a plural, before what it
  // takes.
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    isPlural(tokens[at - 1]) &&
    canBe(wordAt(tokens, at), 'VB') &&
    (isDeterminer(tokens[at + 1]) ||
      (!attributive.has(wordAt(tokens, at - 1)) &&
        isOneOf(tagAt(tokens, at + 1), 'IN RB TO') &&
        wordAt(tokens, at + 1) !== 'of'))
      ? 'VBP'
      : undefined,
]

const isPerson = (tokens: readonly TaggedToken[], at: number) =>
  isNoun(tokens[at]) && visibility(lemma(wordAt(tokens, at))) === 'person'

/** A verb, or a word that the lexicon does not have in the singular either ("snowboards"). */
const isAction = (word: string) =>
  /[^s]s$/.test(word) && (canBe(lemma(word), 'VB') || !canBe(lemma(word), 'NN'))

/** Whether the nouns before `at` have a determiner of the singular. */
function isOne(tokens: readonly TaggedToken[], at: number): boolean {
  for (let place = at - 1; place >= Math.max(0, at - maxLookback); place--) {
    const word = wordAt(tokens, place)
    if (one.has(word)) return true
    if (many.has(word)) return false
    if (!isNoun(tokens[place]) && !isModifier(tokens[place])) return false
  }
  return false
}
