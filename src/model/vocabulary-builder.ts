import { wordCounter } from '../words/word-counter.js'
import { bertWords } from './bert-words.js'
import { prefix, specialTokens } from './word-piece.js'

/** Makes a vocabulary of texts as they come: none of them is held. */
export interface VocabularyBuilder {
  /** @param times as often as it counts */
  add(text: string, times?: number): void
  /**
   * Special tokens, every character alone and as a continuation, then the words that came at least `minCount`
   * times, the most frequent first; `size` tokens at most.
   */
  build(size: number, minCount?: number): Map<string, number>
}

/** @param limit different words that are counted at once; where there are more, the rarest are left out */
export function vocabularyBuilder(limit?: number): VocabularyBuilder {
  const counter = wordCounter(limit)
  const characters = new Set<string>()
  return {
    add(text, times = 1) {
      for (const word of bertWords(text)) {
        counter.add(word.map(({ char }) => char).join(''), times)
        for (const { char } of word) characters.add(char)
      }
    },
    build(size, minCount = 2) {
      const single = [...characters].sort()
      const frequent = [...counter.counts]
        .filter(([word, count]) => count >= minCount && word.length > 1)
        .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
        .map(([word]) => word)
      const tokens = [...specialTokens, ...single, ...single.map((char) => prefix + char), ...frequent]
      return new Map([...new Set(tokens)].slice(0, size).map((token, id) => [token, id]))
    },
  }
}

/** The vocabulary of a corpus that is at hand, as `VocabularyBuilder` makes it. */
export function buildVocabulary(texts: Iterable<string>, size: number, minCount = 2): Map<string, number> {
  const builder = vocabularyBuilder()
  for (const text of texts) builder.add(text)
  return builder.build(size, minCount)
}
