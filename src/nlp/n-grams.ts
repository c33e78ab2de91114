import { plainText } from '../words/plain-text.js'
import type { Chunk } from './chunk.js'
import { lemma } from './lexicon/lemma.js'
import { tokenize } from './lexicon/tokenize.js'
import { wordSet } from './lexicon/word-set.js'
import { quantity } from './quantity.js'
import { repairTags } from './tags/repair-tags.js'
import { type TaggedToken, tag } from './tags/tag.js'
import { isNoun, spanOf, wordAt } from './tags/tag-patterns.js'

/** An n-gram of stop words alone names nothing. */
const stopWords = wordSet(
  `a an the this that these those some any all both each every no other another such and or but nor so if of in on at to
  from by with without for as into onto over under up down out off near behind between through about around along
  across after before during while is are was were be been being am has have had do does did can could will would may
  might must shall should not it its he him his she her hers they them their theirs we us our ours you your yours i me
  my mine who whom whose which what when where why how there here than then too very just also only s t next`,
)
/** Words for a picture as such, which no thing in it matches (OWL-ST drops such queries too). */
const generic = wordSet(
  `image images photo photos photograph photographs picture pictures pic pics png jpg jpeg gif stock vector illustration
  view background wallpaper royalty free close closeup close-up scene shot clipart thumbnail screenshot footage`,
)

/**
 * Every run of up to `longest` words of a caption as a query, after OWL-ST (Minderer et al. 2023): in order
 * of their first word, the shorter first. Runs of stop words alone and runs that name only a picture are left
 * out with that reason; a run goes over no sign of punctuation. Where a run has a noun, its last one is the
 * head; else its last word.
 */
export function nGrams(caption: string, maxWords: number): Chunk[] {
  const tokens = repairTags(tag(tokenize(caption)))
  const points = [...caption]
  const found: Chunk[] = []
  for (const [first, opens] of tokens.entries()) {
    // A run neither begins nor ends with a sign.
    if (!opens.isWord) continue
    let words = 0
    for (const [after, last] of tokens.slice(first).entries()) {
      if (!last.isWord && last.tag !== 'POS' && last.tag !== 'CC') break
      if (last.isWord && ++words > maxWords) break
      if (last.isWord) found.push(nGram(tokens, first, first + after + 1, points))
    }
  }
  return found
}

function nGram(
  tokens: readonly TaggedToken[],
  first: number,
  behind: number,
  points: readonly string[],
): Chunk {
  const run = tokens.slice(first, behind)
  const { start, end } = spanOf(tokens, first, behind)
  const at = run.findLastIndex(isNoun)
  const noun = at === -1 ? behind : first + at + 1
  const leftOut = reasonAgainst(run)
  return {
    text: plainText(points.slice(start, end).join('')),
    start,
    end,
    expressionEnd: end,
    head: lemma(wordAt(tokens, noun - 1)),
    attributes: [],
    ...quantity(tokens, first, noun),
    kept: leftOut === undefined ? 'ngram' : undefined,
    leftOut,
  }
}

function reasonAgainst(run: readonly TaggedToken[]): 'stop_words' | 'generic' | undefined {
  const contentWords = run.filter(({ word, isWord }) => isWord && !stopWords.has(word))
  if (contentWords.length === 0) return 'stop_words'
  return contentWords.every(({ word }) => generic.has(word)) ? 'generic' : undefined
}
