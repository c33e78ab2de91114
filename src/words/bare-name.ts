import { type AttributeValue, attributeValues } from './attribute-values.js'
import { pluralOf } from './label-matches.js'
import type { Span } from './name-prompt.js'

/** What a phrase says of its thing that could be otherwise, and the name that is left without it. */
export interface BareName {
  /** Its colours, sizes and places, in the order of its words; never empty. */
  readonly values: readonly AttributeValue[]
  /** The words of the phrase that name the thing, in code points: "fire truck" of "two big red fire trucks". */
  readonly span: Span
}

/** What leads to a name or dangles behind one, and names nothing. */
const functionWords: ReadonlySet<string> = new Set(
  `a an the this that these those his her their its my our your some any each every another both all several
  many few no and or but of in on at with by to from for one two three four five six seven eight nine ten
  eleven twelve`.split(/\s+/),
)

const isName = (word: string) => !functionWords.has(word) && !/^\p{N}+$/u.test(word)

/**
 * The words around a phrase's head noun up to the nearest colour, size or place, without determiners and
 * numbers: "fire truck" of "a big red fire truck", "man" of "the man on the left". Compounds and what is no
 * such value stay: "wooden table" of "a large wooden table". The head itself is never a value: "an orange".
 *
 * @param head lower case; the last word of the phrase where no word is its singular or plural
 * @returns undefined where the phrase has no such value
 */
export function bareName(phrase: string, head: string): BareName | undefined {
  const words = wordsOf(phrase)
  const named = words.findLastIndex(({ word }) => isSameNoun(word, head))
  const at = named === -1 ? words.length - 1 : named
  const headWord = words[at]
  if (!headWord) return undefined
  const overlaps = ([start, end]: Span, span: Span) => start < span[1] && span[0] < end
  const values = attributeValues(phrase).filter(
    ({ kind, span }) => kind !== 'number' && !overlaps(span, headWord.span),
  )
  if (values.length === 0) return undefined
  const isValue = (index: number) => {
    const word = words[index]
    return !word || values.some(({ span }) => overlaps(span, word.span))
  }
  let [first, last] = [at, at]
  while (!isValue(first - 1)) first--
  while (!isValue(last + 1)) last++
  while (first < at && !isName(words[first]?.word ?? '')) first++
  while (last > at && !isName(words[last]?.word ?? '')) last--
  const start = words[first]?.span[0] ?? headWord.span[0]
  const end = words[last]?.span[1] ?? headWord.span[1]
  return { values, span: [start, end] }
}

/** Words in lower case with their places in code points; one with hyphens is one word. */
function wordsOf(text: string): { readonly word: string; readonly span: Span }[] {
  return [...text.matchAll(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu)].map((match) => {
    const start = [...text.slice(0, match.index)].length
    return { word: match[0].toLowerCase(), span: [start, start + [...match[0]].length] }
  })
}

const isSameNoun = (word: string, head: string) =>
  word === head || word === pluralOf(head) || pluralOf(word) === head
