import { lemma } from '../lexicon/lemma.js'
import { startsCapital, startsSmall } from '../lexicon/letter-case.js'
import { hasTag, tagsOf } from '../lexicon/lexicon.js'
import { materials } from '../lexicon/qualities.js'
import { isOneOf, wordSet } from '../lexicon/word-set.js'
import { type TaggedToken, tagged } from './tag.js'
import { beginsCapital, textAt, textOf, wordAt } from './tag-patterns.js'
import { compoundVisibility } from './visibility.js'

/** Goods that words are printed on. */
const printed = wordSet(
  `poster sign tee t-shirt tshirt shirt sweatshirt hoodie mug sticker decal banner card cap hat pillow cushion doormat
  tumbler blanket badge button notebook journal ornament apron tshirt pin patch plate jumper pajamas
  mat plaque onesie keychain magnet flyer placard tote bib tank sweater canvas print bag`,
)
/** What a sentence begins with, and no name. */
const speakers = wordSet(
  "i i'm im i've you you're we we're it it's let's he she they don't never not this my life",
)
/** What no name of a good holds, and a sentence does. */
const sentenceWords = wordSet(
  `i you your we us me is are am be been had have outta outa gonna wanna ever not always never because before than you're
  i'm don't can't let's it's`,
)
/** "T-shirt design": a good that is for sale as a file. */
const files = /^(?:design|designs|print|svg|template|mockup|quote|art)$/
/** As long as a slogan is. */
const longest = 16

/**
 * Takes a slogan in front of the good that it is printed on for the sentence that it is: "Keep Calm and Drink
 * Tea | poster", "I'm Not Old | birthday tee". It begins with somebody who speaks or with what to do, and is written
 * as a title; the good is what follows it in small letters, or the last word alone.
 */
export function repairSlogan(tokens: readonly TaggedToken[]): readonly TaggedToken[] {
  if (!opensSlogan(tokens)) return tokens
  const good = goodAt(tokens)
  if (good === undefined) return tokens
  const words = tokens.slice(0, good).filter(({ isWord }) => isWord)
  const capitals = words.filter(beginsCapital).length
  const isTitle = capitals * 2 > words.length
  const verbs = words.filter(({ word }) => hasTag(word, 'VB VBP')).length
  const isDesign = files.test(wordAt(tokens, good + 1))
  if (
    words.length < 2 ||
    !(
      isTitle ||
      isDesign ||
      textAt(tokens, 0) === 'You' ||
      (verbs > 1 && capitals < 2 && !words.some(({ tag }) => tag === 'DT'))
    )
  )
    return tokens
  let start = good
  if (!beginsCapital(tokens[good])) while (isTitle && isSmallWord(tokens[start - 1])) start--
  else if (compoundVisibility(wordAt(tokens, good - 1), lemma(wordAt(tokens, good)))) start--
  // "wooden sign".
  while (start > 1 && materials.has(wordAt(tokens, start - 1))) start--
  return tokens.map((token, at) => {
    if (at < start) return tagged(token, 'UH')
    return at === good && !token.tag.startsWith('NN') ? tagged(token, 'NN') : token
  })
}

function opensSlogan(tokens: readonly TaggedToken[]): boolean {
  const [first, second] = tokens
  if (!first || !second) return false
  if (speakers.has(first.word) || (first.text === 'You' && !isPresent(tokens))) return true
  // "World's Best Dad".
  if (second.tag === 'POS' && isOneOf(wordAt(tokens, 2), 'best okayest greatest coolest')) return true
  const tags = tagsOf(first.word)
  if (isOneOf(tags?.[0], 'VB VBP')) return true
  // "Best Dad Ever", "Home Sweet Home".
  if (first.word === 'home' && second.word === 'sweet') return true
  return (
    tokens
      .slice(1, longest)
      .some(({ text, word }) => text === 'Only' || (sentenceWords.has(word) && isCapitalWord(text))) &&
    // What stands in quotation marks is left out as that.
    !tokens.some(({ text }) => text === '"' || text === '“')
  )
}

const isCapitalWord = (text: string) => startsCapital(text)

/** Whether somebody speaks of a good that is there: "You can buy this mug". */
const isPresent = (tokens: readonly TaggedToken[]) =>
  tokens.slice(0, longest).some(({ word }) => isOneOf(word, 'this these my our here a an the'))

/** Where the good stands: the last of its words, before a preposition, a sign or the end. */
function goodAt(tokens: readonly TaggedToken[]): number | undefined {
  for (let at = 2; at < Math.min(tokens.length, longest); at++) {
    const after = tokens[at + 1]
    if (
      printed.has(lemma(wordAt(tokens, at))) &&
      (!after?.isWord || /^(?:IN|VB.)$/.test(after.tag) || files.test(after.word))
    )
      return at
  }
  return undefined
}

const isSmallWord = (token: TaggedToken | undefined) =>
  startsSmall(textOf(token)) && /^(?:NN|JJ|VB)/.test(token?.tag ?? '')
