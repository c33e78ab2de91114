import { lemma } from './lexicon/lemma.js'
import type { TaggedToken } from './tags/tag.js'
import { isNoun, isPlural, wordAt } from './tags/tag-patterns.js'
import { compoundVisibility, visibility } from './tags/visibility.js'

/** Fewer nouns may be one compound. */
const fewest = 4
const longest = 12
const none: ReadonlySet<number> = new Set()

/**
 * Where the phrases of a list of key words begin: "beach umbrella | chair | sand | ocean | vacation". Such a
 * caption is all of nouns in small letters, and has those compounds that WordNet has. Empty where a caption is
 * no such list.
 */
export function keywordStarts(tokens: readonly TaggedToken[]): ReadonlySet<number> {
  if (tokens.length < fewest || !tokens.every(isKeyword))
    return isTitle(tokens) ? behindPlurals(tokens) : none
  if (!tokens.every(isNoun) && tokens.filter(isNoun).length <= fewest) return none
  const starts = new Set<number>()
  for (let at = 0; at < tokens.length; at++) {
    starts.add(at)
    const next = wordAt(tokens, at + 1)
    if (next !== '' && compoundVisibility(wordAt(tokens, at), lemma(next)) !== undefined) at++
  }
  return starts
}

/** "girl sitting window book": also what is done, where no thing that it is done to has a determiner. */
const isKeyword = (token: TaggedToken) =>
  (isNoun(token) || token.tag === 'VBG') && token.isWord && token.text === token.word

/** Whether a caption has nothing but nouns and what is said of them, in small letters. */
const isTitle = (tokens: readonly TaggedToken[]) =>
  tokens.length >= fewest &&
  tokens.length < longest &&
  tokens.every((token) => (isNoun(token) || token.tag === 'JJ') && token.isWord && token.text === token.word)

/** "white kitchen cabinets | brass hardware": behind a plural of things another one begins. */
function behindPlurals(tokens: readonly TaggedToken[]): ReadonlySet<number> {
  const starts = new Set<number>()
  for (let at = 1; at < tokens.length; at++)
    if (
      isPlural(tokens[at - 1]) &&
      things.has(visibility(lemma(wordAt(tokens, at - 1))) ?? '') &&
      hasThing(tokens, at)
    )
      starts.add(at)
  return starts
}

/** Whether what goes on at `at` names another thing, and is no data of the one before. */
const hasThing = (tokens: readonly TaggedToken[], at: number) =>
  things.has(visibility(lemma(wordAt(tokens, tokens.length - 1))) ?? '') && isNoun(tokens[at + 1])

const things: ReadonlySet<string> = new Set(['animal', 'artifact', 'plant', 'food'])
