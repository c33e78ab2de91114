import brill from 'natural/lib/natural/brill_pos_tagger/index.js'
import { withoutAccents } from '../lexicon/clean-word.js'
import { lexicon } from '../lexicon/lexicon.js'
import type { Token } from '../lexicon/tokenize.js'
import { isOneOf } from '../lexicon/word-set.js'

/** A token with its part of speech in the Penn Treebank's tags. */
export interface TaggedToken extends Token {
  readonly tag: string
  /** Part of a run of capitals (see `repairNames`). */
  readonly isName: boolean
}

/**
 * A token with a tag. All have the same keys in the same order, and none is copied by spreading, which takes as
 * long as all of natural's tagger.
 */
export const tagged = (
  { text, word, start, end, isWord, isName: isNamed = false }: Token & { readonly isName?: boolean },
  tag: string,
  isName = isNamed,
): TaggedToken => ({ text, word, start, end, isWord, tag, isName })

const { BrillPOSTagger, RuleSet } = brill
const tagger = new BrillPOSTagger(lexicon, new RuleSet('EN'))

const punctuation = /^[.,:;!?()"'`“”‘’…–—-]$/u

/** Brill's tagger (Brill 1992) with natural's lexicon and rules; words it does not know are nouns. */
export function tag(tokens: readonly Token[]): TaggedToken[] {
  const words = tokens.map(({ word }) => (word in Object.prototype ? 'thing' : withoutAccents(word)))
  const { taggedWords } = tagger.tag(words)
  return tokens.map((token, index) => tagged(token, tagOf(token, taggedWords[index]?.tag ?? '')))
}

function tagOf({ text, word, isWord }: Token, found: string): string {
  // English is all that the tagger knows: of another script it cannot tell a noun from a sentence.
  if (isWord) return /[a-z\d]/.test(word) || /[\p{Script=Latin}\p{N}]/u.test(word) ? found : 'FW'
  if (/^[^\p{L}]s$/u.test(text)) return 'POS'
  if (text === '&') return 'CC'
  if (isOneOf(text, '$ £ €')) return '$'
  return punctuation.test(text) ? text : 'SYM'
}
