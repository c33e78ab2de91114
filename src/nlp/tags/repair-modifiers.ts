import { lemma } from '../lexicon/lemma.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { materials } from '../lexicon/qualities.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import { isAdjective, isDeterminer, isModifier, isNoun, tagAt, wordAt } from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

/** Said of a colour: "neon green", "olive green". */
const shades = wordSet(
  `neon lime olive navy forest mint sky rose lavender cream hunter royal kelly emerald army baby lemon ruby chocolate
  sage slate steel powder cobalt midnight bottle blush rust mustard charcoal ash moss teal peacock petrol ocean jade ice
  electric champagne pistachio coral pearl`,
)
const colours = wordSet('black white red green blue brown yellow pink purple gray grey orange gold')
/** Said of what shines. */
const metals = wordSet('silver gold bronze copper')
const dressings = wordSet('dressing icing frosting topping filling stuffing seasoning')
/** Adjectives that end a phrase as nouns: "a kitchen interior". */
const nouns = wordSet('interior exterior male female adult teen juvenile')
/** What houses and goods have several of. */
const counted = wordSet(
  'bedroom bed bathroom bath storey story floor room door seater seat piece pack tier panel drawer shelf light speed person car burner',
)
const kinds = wordSet('style type sized size color colour shade')
/** Dishes that are named by what is in them: "a pineapple and ham pizza". */
const dishes = wordSet(
  'pizza sandwich salad dish soup pie cake omelette stew casserole burger sub wrap mixture sauce dip pasta topping burrito muffin smoothie curry quiche tart scone frittata gratin risotto lasagna lasagne chowder bisque fritter crumble cheesecake stir-fry',
)

/** Mistakes among the words before a noun. */
export const modifierRules: readonly TagRule[] = [
  // "4 bedroom detached house": one of several ends no phrase.
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    tagAt(tokens, at - 1) === 'CD' &&
    !/^(?:1|one|19\d\d|20\d\d)$/.test(wordAt(tokens, at - 1)) &&
    counted.has(wordAt(tokens, at)) &&
    isAdjective(tokens[at + 1]) &&
    (isNoun(tokens[at + 2]) || isModifier(tokens[at + 2]))
      ? 'JJ'
      : undefined,
  // "a navy three-piece suit".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    (shades.has(wordAt(tokens, at)) || colours.has(wordAt(tokens, at))) &&
    /-/.test(wordAt(tokens, at + 1)) &&
    isAdjective(tokens[at + 1]) &&
    isNoun(tokens[at + 2]) &&
    !isNoun(tokens[at - 1])
      ? 'JJ'
      : undefined,
  // "a neon green shirt".
  (tokens, at) =>
    shades.has(wordAt(tokens, at)) &&
    isNoun(tokens[at]) &&
    colours.has(wordAt(tokens, at + 1)) &&
    (isNoun(tokens[at + 2]) || isModifier(tokens[at + 2]))
      ? 'JJ'
      : undefined,
  // "a silver sequined dress", "a crystal clear pool", "the best ever lasagna".
  (tokens, at) =>
    (isNoun(tokens[at]) &&
      ((metals.has(wordAt(tokens, at)) && isAdjective(tokens[at + 1])) ||
        (materials.has(wordAt(tokens, at)) && tagAt(tokens, at + 1) === 'VBN' && !isNoun(tokens[at - 1])) ||
        (wordAt(tokens, at) === 'crystal' && wordAt(tokens, at + 1) === 'clear')) &&
      isNoun(tokens[at + 2])) ||
    (wordAt(tokens, at) === 'ever' && tagAt(tokens, at - 1) === 'JJS' && isNoun(tokens[at + 1]))
      ? 'JJ'
      : undefined,
  // "with brass handles.", "springs and handles": a plural that ends what a preposition leads to.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBZ' &&
    isNoun(tokens[at - 1]) &&
    tagAt(tokens, at - 2) === 'IN' &&
    !tokens[at + 1]?.isWord &&
    canBe(lemma(wordAt(tokens, at)), 'NN')
      ? 'NNS'
      : undefined,
  // "tahini dressing".
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    dressings.has(wordAt(tokens, at)) &&
    isFood(wordAt(tokens, at - 1)) &&
    !isDeterminer(tokens[at + 1])
      ? 'NN'
      : undefined,
  // "TV with Remote", "camera with Mount": what "with" leads to, and ends there, is a thing.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP JJ') &&
    wordAt(tokens, at - 1) === 'with' &&
    (!tokens[at + 1]?.isWord || tagAt(tokens, at + 1) === 'CC') &&
    visibility(wordAt(tokens, at)) === 'artifact' &&
    canBe(wordAt(tokens, at), 'NN')
      ? 'NN'
      : undefined,
  // "with labels and funnel": the last of what "with" leads to.
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    tagAt(tokens, at - 1) === 'CC' &&
    isNoun(tokens[at - 2]) &&
    !tokens[at + 1]?.isWord &&
    [at - 3, at - 4].some((place) => wordAt(tokens, place) === 'with') &&
    isOneOf(visibility(wordAt(tokens, at)), 'artifact shape food plant') &&
    canBe(wordAt(tokens, at), 'NN')
      ? 'NN'
      : undefined,
  // "2 bedroom flat to rent", "crib mobile with stars".
  (tokens, at) =>
    (wordAt(tokens, at) === 'flat' ||
      (wordAt(tokens, at) === 'mobile' && /^(?:IN|,)?$/.test(tagAt(tokens, at + 1)))) &&
    isOneOf(wordAt(tokens, at - 1), 'bed bedroom studio storey room crib cot nursery baby')
      ? 'NN'
      : undefined,
  // "hand thrown", "pan fried with onions": how it is made.
  (tokens, at) =>
    isNoun(tokens[at]) &&
    isOneOf(wordAt(tokens, at), 'hand machine pan oven') &&
    tagAt(tokens, at + 1) === 'VBN' &&
    at > 0 &&
    !tokens[at - 1]?.isWord
      ? 'RB'
      : undefined,
  // "our 8 week old puppy".
  (tokens, at) =>
    tagAt(tokens, at - 1) === 'CD' &&
    wordAt(tokens, at + 1) === 'old' &&
    isOneOf(wordAt(tokens, at), 'day days week weeks month months year years') &&
    (isNoun(tokens[at + 2]) || isModifier(tokens[at + 2]))
      ? 'JJ'
      : undefined,
  // "my boys today": when, behind the thing.
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    isOneOf(wordAt(tokens, at), 'today tonight tomorrow yesterday') &&
    isNoun(tokens[at - 1]) &&
    !isNoun(tokens[at + 1])
      ? 'RB'
      : undefined,
  // "pouring concrete": stuff where an adjective has no noun.
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    wordAt(tokens, at) === 'concrete' &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]) || tagAt(tokens, at + 1) === 'CC')
      ? 'NN'
      : undefined,
  // "wearing matching t-shirts": said of things that are alike, and of nothing that is done.
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    wordAt(tokens, at) === 'matching' &&
    (isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]))
      ? 'JJ'
      : undefined,
  // "has elaborate wood decoration".
  (tokens, at) =>
    isOneOf(tagAt(tokens, at), 'VB VBP') &&
    canBe(wordAt(tokens, at), 'JJ') &&
    isNoun(tokens[at + 1]) &&
    isOneOf(tagAt(tokens, at - 1), 'VBZ VBG IN DT CC ,')
      ? 'JJ'
      : undefined,
  // "a kitchen interior", "a male in a shirt".
  (tokens, at) =>
    tagAt(tokens, at) === 'JJ' &&
    nouns.has(wordAt(tokens, at)) &&
    (isNoun(tokens[at - 1]) || isDeterminer(tokens[at - 1]) || isModifier(tokens[at - 1])) &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]) || tagAt(tokens, at + 1) === 'CC')
      ? 'NN'
      : undefined,
  // "cross country skis", but "cross country skiing".
  (tokens, at) =>
    wordAt(tokens, at) === 'cross' && wordAt(tokens, at + 1) === 'country'
      ? tagAt(tokens, at + 2) === 'VBG'
        ? 'RB'
        : 'JJ'
      : undefined,
  (tokens, at) =>
    wordAt(tokens, at) === 'country' && wordAt(tokens, at - 1) === 'cross' && tagAt(tokens, at + 1) === 'VBG'
      ? 'RB'
      : undefined,
  // "two seperate twin beds", "an old style green train": no noun ends where its adjectives go on.
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    (tagsOf(wordAt(tokens, at)) === undefined
      ? isDeterminer(tokens[at - 1]) || tagAt(tokens, at - 1) === 'CD'
      : kinds.has(wordAt(tokens, at)) && isAdjective(tokens[at - 1])) &&
    isAdjective(tokens[at + 1]) &&
    tagAt(tokens, at + 1) !== 'VBN' &&
    isNoun(tokens[at + 2])
      ? 'JJ'
      : undefined,
  // "a pineapple and ham pizza", but "a sandwich and potato chips".
  (tokens, at) =>
    isNoun(tokens[at]) &&
    tagAt(tokens, at + 1) === 'CC' &&
    isNoun(tokens[at + 2]) &&
    isNoun(tokens[at + 3]) &&
    dishes.has(lemma(wordAt(tokens, at + 3))) &&
    !dishes.has(lemma(wordAt(tokens, at))) &&
    isFood(wordAt(tokens, at)) &&
    isFood(wordAt(tokens, at + 2))
      ? 'JJ'
      : undefined,
  // The second half of the same.
  (tokens, at) =>
    isNoun(tokens[at]) &&
    tagAt(tokens, at - 1) === 'CC' &&
    tagAt(tokens, at - 2) === 'JJ' &&
    isNoun(tokens[at + 1]) &&
    dishes.has(lemma(wordAt(tokens, at + 1))) &&
    isFood(wordAt(tokens, at)) &&
    isFood(wordAt(tokens, at - 2))
      ? 'JJ'
      : undefined,
]

const isFood = (word: string) => isOneOf(visibility(lemma(word)), 'food plant') || word === 'vegetable'
