import { lemma } from '../lexicon/lemma.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { isAdjective, isDeterminer, isModifier, isNoun } from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

const list = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

/** Said of a colour: "neon green", "olive green". */
const shades = list(
  'neon lime olive navy forest mint sky rose lavender cream hunter royal kelly emerald army baby lemon ruby chocolate',
)
const colours = list('black white red green blue brown yellow pink purple gray grey orange gold')
/** Adjectives that end a phrase as nouns: "a kitchen interior". */
const nouns = list('interior exterior male female adult teen juvenile')
const kinds = list('style type sized size color colour shade')
/** Dishes that are named by what is in them: "a pineapple and ham pizza". */
const dishes = list(
  'pizza sandwich salad dish soup pie cake omelette stew casserole burger sub wrap mixture sauce dip pasta topping burrito muffin smoothie curry',
)

/** Mistakes among the words before a noun. */
export const modifierRules: readonly TagRule[] = [
  // "a neon green shirt".
  (tokens, at) =>
    shades.has(tokens[at].word) &&
    isNoun(tokens[at]) &&
    colours.has(tokens[at + 1]?.word) &&
    (isNoun(tokens[at + 2]) || isModifier(tokens[at + 2]))
      ? 'JJ'
      : undefined,
  // "wearing matching t-shirts": said of things that are alike, and of nothing that is done.
  (tokens, at) =>
    tokens[at].tag === 'VBG' &&
    tokens[at].word === 'matching' &&
    (isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]))
      ? 'JJ'
      : undefined,
  // "has elaborate wood decoration".
  (tokens, at) =>
    /^VBP?$/.test(tokens[at].tag) &&
    canBe(tokens[at].word, 'JJ') &&
    isNoun(tokens[at + 1]) &&
    /^(?:VB[ZG]|IN|DT|CC|,)$/.test(tokens[at - 1]?.tag ?? '')
      ? 'JJ'
      : undefined,
  // "a kitchen interior", "a male in a shirt".
  (tokens, at) =>
    tokens[at].tag === 'JJ' &&
    nouns.has(tokens[at].word) &&
    (isNoun(tokens[at - 1]) || isDeterminer(tokens[at - 1]) || isModifier(tokens[at - 1])) &&
    !(isNoun(tokens[at + 1]) || isModifier(tokens[at + 1]) || tokens[at + 1]?.tag === 'CC')
      ? 'NN'
      : undefined,
  // "cross country skis", but "cross country skiing".
  (tokens, at) =>
    tokens[at].word === 'cross' && tokens[at + 1]?.word === 'country'
      ? tokens[at + 2]?.tag === 'VBG'
        ? 'RB'
        : 'JJ'
      : undefined,
  (tokens, at) =>
    tokens[at].word === 'country' && tokens[at - 1]?.word === 'cross' && tokens[at + 1]?.tag === 'VBG'
      ? 'RB'
      : undefined,
  // "two seperate twin beds", "an old style green train": no noun ends where its adjectives go on.
  (tokens, at) =>
    tokens[at].tag === 'NN' &&
    (tagsOf(tokens[at].word) === undefined
      ? isDeterminer(tokens[at - 1]) || tokens[at - 1]?.tag === 'CD'
      : kinds.has(tokens[at].word) && isAdjective(tokens[at - 1])) &&
    isAdjective(tokens[at + 1]) &&
    tokens[at + 1].tag !== 'VBN' &&
    isNoun(tokens[at + 2])
      ? 'JJ'
      : undefined,
  // "a pineapple and ham pizza", but "a sandwich and potato chips".
  (tokens, at) =>
    isNoun(tokens[at]) &&
    tokens[at + 1]?.tag === 'CC' &&
    isNoun(tokens[at + 2]) &&
    isNoun(tokens[at + 3]) &&
    dishes.has(lemma(tokens[at + 3].word)) &&
    !dishes.has(lemma(tokens[at].word)) &&
    isFood(tokens[at].word) &&
    isFood(tokens[at + 2].word)
      ? 'JJ'
      : undefined,
  // The second half of the same.
  (tokens, at) =>
    isNoun(tokens[at]) &&
    tokens[at - 1]?.tag === 'CC' &&
    tokens[at - 2]?.tag === 'JJ' &&
    isNoun(tokens[at + 1]) &&
    dishes.has(lemma(tokens[at + 1].word)) &&
    isFood(tokens[at].word) &&
    isFood(tokens[at - 2].word)
      ? 'JJ'
      : undefined,
]

const isFood = (word: string) =>
  /^(?:food|plant)$/.test(visibility(lemma(word)) ?? '') || word === 'vegetable'
