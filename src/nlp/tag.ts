// The whole of natural loads database clients, prints, and reads the user's .env: only the tagger is wanted.
import brill from 'natural/lib/natural/brill_pos_tagger/index.js'
import type { Token } from './tokenize.js'

/** A token with its part of speech in the Penn Treebank's tags. */
export interface TaggedToken extends Token {
  readonly tag: string
  /** Lower case, with a plain apostrophe. */
  readonly word: string
}

const { BrillPOSTagger, Lexicon, RuleSet } = brill
const lexicon = new Lexicon('EN', 'NN')
const tagger = new BrillPOSTagger(lexicon, new RuleSet('EN'))

const punctuation = /^[.,:;!?()"'`“”‘’…-]$/u

/** Brill's tagger (Brill 1992) with natural's lexicon; words it does not know are nouns. */
export function tag(tokens: readonly Token[]): TaggedToken[] {
  const words = tokens.map(({ text }) => text.toLowerCase().replaceAll('’', "'"))
  // The lexicon is a plain object: names of its prototype would find functions.
  const asked = words.map((word) => (word in Object.prototype ? 'thing' : word))
  const { taggedWords } = tagger.tag(asked)
  return tokens.map((token, index) => ({
    ...token,
    word: words[index],
    tag: tagOf(token, taggedWords[index].tag),
  }))
}

function tagOf(token: Token, found: string): string {
  if (token.isWord) return found
  if (/^['’]s$/.test(token.text)) return 'POS'
  if (token.text === '&') return 'CC'
  return punctuation.test(token.text) ? token.text : 'SYM'
}

/** Whether the lexicon knows the word with a tag that begins so. */
export function canBe(word: string, prefix: string): boolean {
  if (word in Object.prototype) return false
  return lexicon.tagWord(word).some((known: string) => known.startsWith(prefix))
}
