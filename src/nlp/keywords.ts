import { lemma } from './lexicon/lemma.js'
import type { TaggedToken } from './tags/tag.js'
import { isNoun, wordAt } from './tags/tag-patterns.js'
import { compoundVisibility } from './tags/visibility.js'

/** Fewer nouns may be one compound. */
const fewest = 4
const none: ReadonlySet<number> = new Set()

/**
 * Where the phrases of a list of key words begin: "beach umbrella | chair | sand | ocean | vacation". Such a
 * caption is all of nouns in small letters, and has those compounds that WordNet has. Empty where a caption is
 * no such list.
 */
export function keywordStarts(tokens: readonly TaggedToken[]): ReadonlySet<number> {
  if (tokens.length < fewest || !tokens.every(isKeyword)) return none
  const starts = new Set<number>()
  for (let at = 0; at < tokens.length; at++) {
    starts.add(at)
    const next = wordAt(tokens, at + 1)
    if (next !== '' && compoundVisibility(wordAt(tokens, at), lemma(next)) !== undefined) at++
  }
  return starts
}

const isKeyword = (token: TaggedToken) => isNoun(token) && /^\p{Ll}/u.test(token.text)
