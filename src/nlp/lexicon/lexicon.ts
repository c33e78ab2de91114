// The whole of natural loads database clients, prints, and reads the user's .env: only the tagger is wanted.
import brill from 'natural/lib/natural/brill_pos_tagger/index.js'
import { captionWords } from './caption-words.js'
import { isOneOf } from './word-set.js'

/**
 * natural's lexicon (words of the Wall Street Journal with their Penn Treebank tags), corrected for captions.
 */
export const lexicon = new brill.Lexicon('EN', 'NN')
for (const [word, tags] of Object.entries(captionWords)) lexicon.addWord(word, [...tags])

/** As a map, which is looked up faster than natural's object, and has no names of its prototype. */
const words: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(
    (lexicon as unknown as { readonly lexicon: Readonly<Record<string, readonly string[]>> }).lexicon,
  ),
)

/** Tags of a word, the most frequent first; undefined for a word that the lexicon does not have. */
export function tagsOf(word: string): readonly string[] | undefined {
  return words.get(word)
}

/** Whether the lexicon has the word with one of these tags, between spaces. */
export function hasTag(word: string, tags: string): boolean {
  return tagsOf(word)?.some((tag) => isOneOf(tag, tags)) ?? false
}

/** Whether the lexicon has the word with a tag that begins so. */
export function canBe(word: string, prefix: string): boolean {
  return tagsOf(word)?.some((tag) => tag.startsWith(prefix)) ?? false
}
