const numerals: ReadonlyMap<string, number> = new Map(
  ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'].map(
    (word, index) => [word, index + 1],
  ),
)
/** Words for a number of things; "couple" is two by its dictionary, whatever is meant by it. */
const collectives: ReadonlyMap<string, number> = new Map([
  ['pair', 2],
  ['couple', 2],
  ['both', 2],
  ['trio', 3],
  ['dozen', 12],
])
const singulars: ReadonlySet<string> = new Set(['a', 'an', 'one', 'this', 'that', 'another', 'each'])
/** What may stand before a number and does not change it. */
const openers: ReadonlySet<string> = new Set([
  'the',
  'these',
  'those',
  'all',
  'a',
  'his',
  'her',
  'their',
  'its',
])
/** The highest number in digits that counts things: "a 747" does not. */
const maxCount = 20

/**
 * How many things a phrase says that it names: "two dogs" and "a pair of shoes" 2, "the three men" 3;
 * undefined where it says no number. A number that is not at the phrase's head counts as none: "a table for
 * two".
 *
 * @param singular whether "a dog" and "this dog" say 1
 */
export function numberOf(text: string, singular = false): number | undefined {
  const words: readonly string[] = text.toLowerCase().match(/[\p{L}\p{N}'-]+/gu) ?? []
  let at = 0
  // The last word is the thing itself, never its number.
  while (at < words.length - 1 && openers.has(words[at] ?? '')) at++
  const word = at < words.length - 1 ? (words[at] ?? '') : ''
  const numeral = numerals.get(word) ?? digits(word)
  if (numeral !== undefined && numeral > 1) return numeral
  // "A pair of shoes", "both dogs"; "a couple" alone is two people and one noun, and is left alone.
  const several = collectives.get(word)
  if (several !== undefined && (words[at + 1] === 'of' || word === 'both' || word === 'dozen')) return several
  return singular && words.length > 1 && singulars.has(words[0] ?? '') ? 1 : undefined
}

function digits(word: string): number | undefined {
  const value = /^\d{1,2}$/.test(word) ? Number(word) : 0
  return value > 0 && value <= maxCount ? value : undefined
}
