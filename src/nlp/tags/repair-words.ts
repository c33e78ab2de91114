import { lemma } from '../lexicon/lemma.js'
import { startsCapital } from '../lexicon/letter-case.js'
import { canBe, tagsOf } from '../lexicon/lexicon.js'
import { isOneOf } from '../lexicon/word-set.js'
import { captionFact } from './caption-fact.js'
import type { TaggedToken } from './tag.js'
import {
  isAdjective,
  isDeterminer,
  isModifier,
  isNoun,
  isVerb,
  tagAt,
  textAt,
  wordAt,
} from './tag-patterns.js'
import type { TagRule } from './tag-rule.js'
import { visibility } from './visibility.js'

/** Things that are named by a verb's -ing form. */
const ingThings = new Set(
  'building painting lighting seating warning opening parking landing gathering crossing setting dining'.split(
    ' ',
  ),
)
/**
 * Said of what does it by itself: before a noun it tells which one ("running water"), and takes no object.
 */
const ingQualities = new Set(
  `smiling running standing sleeping flying burning steaming laughing rolling moving floating falling hanging glowing
  sparkling shining crying swimming barking galloping surrounding matching missing winning living passing rising towering growing blooming melting
  crawling kneeling praying dancing roaring howling yawning weeping bouncing flowing dripping spinning leaping grinning
  screaming blossoming cascading erupting`.split(/\s+/),
)
/** What an ending says of a word that the lexicon does not have. */
const endings: readonly (readonly [RegExp, string])[] = [
  [/.{2}ing$/, 'VBG'],
  [/.{2}ed$/, 'VBN'],
  [/.{2}ly$/, 'RB'],
  [/.{2}[^su']s$/, 'NNS'],
]
const places = new Set('left right top bottom middle center centre front back rear'.split(' '))

const wallToWall = new Set(['floor', 'wall', 'to', 'ceiling'])

/** "People crossing street", but "a woman painting". */
const isDoneBy = (tokens: readonly TaggedToken[], at: number) =>
  isNoun(tokens[at - 1]) &&
  isNoun(tokens[at + 1]) &&
  isOneOf(visibility(lemma(wordAt(tokens, at - 1))), 'person tops')

const opensPhrase = (token: TaggedToken | undefined) => isNoun(token) || isModifier(token) || isVerb(token)

/** Whether a caption has a small letter: rules change tags alone. */
const hasSmall = captionFact((tokens) => tokens.some(({ text }) => /\p{Ll}/u.test(text)))

/** Mistakes that show in one word and what stands beside it. */
export const wordRules: readonly TagRule[] = [
  // Rules of spelling are for unknown words, but the tagger also applies them to nouns it knows: "bed",
  // "butterfly", "animal", "glass" and "elderly" are no participle, adverb, adjective, plural and adverb.
  (tokens, at) => {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    const [first] = tagsOf(word) ?? []
    if (first === 'JJ' && tag === 'RB') return first
    return first?.startsWith('NN') && isOneOf(tag, 'RB JJ VBN NNS URL') ? first : undefined
  },
  // "inspects": natural looks for the first "s" of a word, and misses the last of those that have two.
  (tokens, at) => {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    if (tag !== 'NN' || tagsOf(word) !== undefined) return undefined
    return endings.find(([ending]) => ending.test(word))?.[1]
  },
  // "Sippin' on sunshine".
  (tokens, at) =>
    tokens[at + 1]?.start === tokens[at]?.end &&
    isOneOf(wordAt(tokens, at + 1), "' ’") &&
    /[^aeiou]in$/.test(wordAt(tokens, at)) &&
    tagsOf(wordAt(tokens, at)) === undefined
      ? 'VBG'
      : undefined,
  // "a dolly": an adverb cannot be all that follows a determiner.
  (tokens, at) =>
    tagAt(tokens, at) === 'RB' &&
    tagsOf(wordAt(tokens, at)) === undefined &&
    isDeterminer(tokens[at - 1]) &&
    !opensPhrase(tokens[at + 1])
      ? 'NN'
      : undefined,
  // "a wedding", "a ceiling": no verb at all; "a building", but "a man painting a wall".
  (tokens, at) => {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    if (tag !== 'VBG') return undefined
    const known = tagsOf(word) ?? []
    if (known[0]?.startsWith('NN') && !known.some((other) => other.startsWith('VBG'))) return known[0]
    return ingThings.has(word) && !isDeterminer(tokens[at + 1]) && !isDoneBy(tokens, at) ? 'NN' : undefined
  },
  // "1,200", "3rd", "the 1960s", "the seventies".
  (tokens, at) => {
    const word = wordAt(tokens, at)
    if (/^\d+(?:st|nd|rd|th)$/.test(word)) return 'JJ'
    if (/^\d+'?s$/.test(word)) return 'NNS'
    return /^\d[\d.,]*$/.test(word) ? 'CD' : undefined
  },
  // "floor to ceiling windows", "wall to wall carpet".
  (tokens, at) => {
    if (!wallToWall.has(wordAt(tokens, at))) return undefined
    const from = [at - 2, at - 1, at].find(
      (place) => isOneOf(wordAt(tokens, place), 'floor wall') && wordAt(tokens, place + 1) === 'to',
    )
    return from !== undefined &&
      isOneOf(wordAt(tokens, from + 2), 'ceiling wall') &&
      (isNoun(tokens[from + 3]) || isModifier(tokens[from + 3]))
      ? 'JJ'
      : undefined
  },
  // "right of a truck", but "the right of": a preposition where no determiner makes it a noun.
  (tokens, at) =>
    isOneOf(wordAt(tokens, at), 'left right') &&
    wordAt(tokens, at + 1) === 'of' &&
    !isDeterminer(tokens[at - 1])
      ? 'IN'
      : undefined,
  // "a toilet right next to a tub".
  (tokens, at) =>
    isOneOf(wordAt(tokens, at), 'left right') &&
    isNoun(tokens[at - 1]) &&
    isOneOf(wordAt(tokens, at + 1), 'next in on at behind beside above below outside by after before')
      ? 'RB'
      : undefined,
  // "at the top and blue keys", but "the top and bottom shelves".
  (tokens, at) =>
    places.has(wordAt(tokens, at)) &&
    (wordAt(tokens, at - 1) === 'the' || !tokens[at - 1]?.isWord) &&
    isOneOf(tagAt(tokens, at + 1), 'CC ,') &&
    !places.has(wordAt(tokens, at + 2))
      ? 'NN'
      : undefined,
  // "a counter top": where no noun follows.
  (tokens, at) =>
    wordAt(tokens, at) === 'top' &&
    isNoun(tokens[at - 1]) &&
    !(isNoun(tokens[at + 1]) || isAdjective(tokens[at + 1]) || wordAt(tokens, at + 1) === 'of')
      ? 'NN'
      : undefined,
  // "an outside wall", "middle eastern food".
  (tokens, at) =>
    (isOneOf(wordAt(tokens, at), 'outside inside off under') &&
      isDeterminer(tokens[at - 1]) &&
      (isNoun(tokens[at + 1]) || isAdjective(tokens[at + 1]))) ||
    (wordAt(tokens, at) === 'middle' && isOneOf(wordAt(tokens, at + 1), 'eastern aged'))
      ? 'JJ'
      : undefined,
  // "trying to bluff them", but "to school".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' &&
    tagAt(tokens, at - 1) === 'TO' &&
    canBe(wordAt(tokens, at), 'VB') &&
    (isDeterminer(tokens[at + 1]) || isOneOf(tagAt(tokens, at + 1), 'PRP CD'))
      ? 'VB'
      : undefined,
  // "next to a car", "close to the wall".
  (tokens, at) =>
    isOneOf(wordAt(tokens, at), 'next close') && wordAt(tokens, at + 1) === 'to' ? 'RB' : undefined,
  // "a close up of a cat": two words for a kind of picture.
  (tokens, at) => (wordAt(tokens, at) === 'close' && wordAt(tokens, at + 1) === 'up' ? 'JJ' : undefined),
  (tokens, at) => (wordAt(tokens, at) === 'up' && wordAt(tokens, at - 1) === 'close' ? 'NN' : undefined),
  // "how to cook rice".
  (tokens, at) =>
    tagAt(tokens, at) === 'NN' && tagAt(tokens, at - 1) === 'TO' && wordAt(tokens, at - 2) === 'how'
      ? 'VB'
      : undefined,
  // "Happy New Year 2023", "Merry Christmas": a wish, no part of what it is written on.
  (tokens, at) => (isWish(tokens, at) ? 'UH' : undefined),
  // "FREE stickers", "BULK 50 beads": what shops shout in front of a good.
  (tokens, at) =>
    isOneOf(textAt(tokens, at), 'FREE NEW SALE HOT BULK CLEARANCE RARE SOLD') &&
    !tokens[at - 1]?.isWord &&
    hasSmall(tokens)
      ? 'UH'
      : undefined,
  // "#ootd denim jacket".
  (tokens, at) =>
    textAt(tokens, at - 1) === '#' &&
    tokens[at - 1]?.end === tokens[at]?.start &&
    isNoun(tokens[at + 1]) &&
    /^\p{L}+$/u.test(wordAt(tokens, at)) &&
    tagsOf(wordAt(tokens, at)) === undefined
      ? 'UH'
      : undefined,
  // "link in bio".
  (tokens, at) =>
    (wordAt(tokens, at) === 'link' && wordAt(tokens, at + 2) === 'bio') ||
    (wordAt(tokens, at) === 'bio' && wordAt(tokens, at - 2) === 'link')
      ? 'UH'
      : undefined,
  // "Glow in the Dark Stars".
  (tokens, at) => (isGlowing(tokens, at) ? 'JJ' : undefined),
  // "drives past a guard".
  (tokens, at) =>
    wordAt(tokens, at) === 'past' && isNoun(tokens[at - 1]) && startsCapital(textAt(tokens, at + 1))
      ? 'IN'
      : undefined,
  // "a trash can", "the can of paint", but "a dog can run".
  (tokens, at) =>
    wordAt(tokens, at) === 'can' &&
    (isDeterminer(tokens[at - 1]) || isNoun(tokens[at - 1]) || isAdjective(tokens[at - 1])) &&
    !(isVerb(tokens[at + 1]) || isOneOf(tagAt(tokens, at + 1), 'RB PRP'))
      ? 'NN'
      : undefined,
  // "Set of knives", "cut fruit": a participle or noun where a caption begins.
  (tokens, at) =>
    at === 0 && wordAt(tokens, at) === 'set' && wordAt(tokens, 1) === 'of'
      ? 'NN'
      : at === 0 &&
          tagAt(tokens, at) === 'VB' &&
          tagsOf(wordAt(tokens, at))?.includes('VBN') &&
          isNoun(tokens[1])
        ? 'VBN'
        : undefined,
  // "the back of", "its back", but "a back yard".
  (tokens, at) =>
    wordAt(tokens, at) === 'back' && isDeterminer(tokens[at - 1])
      ? isNoun(tokens[at + 1])
        ? 'JJ'
        : 'NN'
      : undefined,
  // "running water", "a sink with running water".
  (tokens, at) =>
    tagAt(tokens, at) === 'VBG' &&
    ingQualities.has(wordAt(tokens, at)) &&
    (isNoun(tokens[at + 1]) || (isAdjective(tokens[at + 1]) && isNoun(tokens[at + 2]))) &&
    !(isNoun(tokens[at - 1]) || isVerb(tokens[at - 1]) || isOneOf(tagAt(tokens, at - 1), 'PRP RB WDT WP'))
      ? 'JJ'
      : undefined,
]

const occasions = new Set(
  'birthday christmas year easter halloween thanksgiving anniversary holidays mother father valentine'.split(
    ' ',
  ),
)

/** "Christmas", "Friday", and what no dictionary has where a sign follows: "Happy Friyay!". */
function isOccasion(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  // "Happy 40th".
  if (/^\d+(?:st|nd|rd|th)$/.test(word)) return true
  if (occasions.has(word) || /^(?:mon|tues|wednes|thurs|fri|satur|sun)day$|^weekend$/.test(word)) return true
  return tokens[at + 1]?.isWord === false && isNoun(tokens[at]) && visibility(word) === 'unknown'
}

function isWish(tokens: readonly TaggedToken[], at: number): boolean {
  const word = wordAt(tokens, at)
  if (isOneOf(word, 'happy merry') && !isDeterminer(tokens[at - 1]))
    return isOccasion(tokens, at + 1) || occasions.has(wordAt(tokens, at + 2))
  // "Happy Father's Day card".
  if (word === 'day' && tagAt(tokens, at - 1) === 'POS') return tagAt(tokens, at - 2) === 'UH'
  if (tagAt(tokens, at - 1) !== 'UH') return false
  return (
    isOccasion(tokens, at) ||
    (word === 'new' && occasions.has(wordAt(tokens, at + 1))) ||
    /^\d{4}$/.test(word)
  )
}

const glowing = ['glow', 'in', 'the', 'dark']

function isGlowing(tokens: readonly TaggedToken[], at: number): boolean {
  const place = glowing.indexOf(wordAt(tokens, at))
  return place >= 0 && glowing.every((word, step) => wordAt(tokens, at - place + step) === word)
}
