import { bertWords } from '../../model/bert-words.js'
import { wordCounter } from '../../words/word-counter.js'

/** Place of all words that a vocabulary has not. */
export const unknownWord = 0

/** The words of a phrase, lower case. */
export const wordsIn = (text: string): string[] =>
  bertWords(text).flatMap((word) => {
    const own = word.map(({ char }) => char).join('')
    return /[\p{L}\p{N}]/u.test(own) ? [own] : []
  })

/** Words by their places, from 1; 0 is every other word. */
export type JudgeWords = ReadonlyMap<string, number>

/** The words that came twice at least, the most frequent first; `size` of them at most. */
export function countJudgeWords() {
  const counter = wordCounter()
  return {
    add(text: string): void {
      for (const word of wordsIn(text)) counter.add(word)
    },
    words(size: number): JudgeWords {
      const known = [...counter.counts]
        .filter(([, count]) => count >= 2)
        .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
      return new Map(known.slice(0, size - 1).map(([word], index) => [word, index + 1]))
    },
  }
}

/** Whether gold names the noun of a phrase, as far as the vocabulary goes. */
export const isKnownNoun = (
  { text, head }: { readonly text: string; readonly head: string },
  known: JudgeWords,
) => wordsIn(text).some((word) => isFormOf(word, head) && known.has(word))

/** Whether a word is a head noun, in the singular or the plural. */
export const isFormOf = (word: string, head: string): boolean =>
  word === head || (word.startsWith(head.slice(0, -1)) && word.length <= head.length + 3)

/** Writes the places of a phrase's words, and 1 for each that there is. */
export function writeWords(
  places: BigInt64Array,
  mask: Float32Array,
  words: readonly string[],
  known: JudgeWords,
): void {
  for (let at = 0; at < places.length; at++) {
    const word = words[at]
    places[at] = BigInt(word === undefined ? 0 : (known.get(word) ?? unknownWord))
    mask[at] = word === undefined ? 0 : 1
  }
}
