import { lemma } from './lexicon/lemma.js'
import { measures } from './lexicon/measures.js'
import type { TaggedToken } from './tags/tag.js'
import { isPlural, tagAt, wordAt } from './tags/tag-patterns.js'
import { visibility } from './tags/visibility.js'

export interface Quantity {
  readonly number: 'singular' | 'plural' | 'mass'
  /**
   * How many the phrase says there are: 2 of "two dogs" and "a pair of shoes", 1 of "a dog"; null where it
   * does not.
   */
  readonly count: number | null
}

const names =
  `zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
  seventeen eighteen nineteen twenty`.split(/\s+/)
const numbers: ReadonlyMap<string, number> = new Map([
  ...names.map((name, value) => [name, value] as const),
  ...(['thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'] as const).map(
    (name, index) => [name, 30 + 10 * index] as const,
  ),
  ['dozen', 12],
  ['hundred', 100],
  ['thousand', 1000],
  ['both', 2],
  ['single', 1],
])
const sets: ReadonlyMap<string, number> = new Map([
  ['couple', 2],
  ['pair', 2],
  ['trio', 3],
  ['dozen', 12],
  ['hundred', 100],
  ['thousand', 1000],
])
/** Single things whose name is a plural: a pair of them is one. */
const pairOfOne = new Set(
  'scissors pants jeans shorts trousers goggles pliers tweezers binoculars overalls pajamas sunglasses eyeglasses glasses headphones tongs skis'.split(
    ' ',
  ),
)
const one = new Set(['a', 'an', 'one', 'another', 'each', 'every'])
const masses = new Set(
  `water snow sand grass food dirt mud ice rain fog smoke traffic luggage furniture hair fruit bread rice pasta meat
  cheese broccoli lettuce spinach cereal coffee tea milk juice wine beer soup pizza cake pie chocolate cream butter
  sauce wood metal glass paper clothing jewelry equipment gear graffiti vegetation foliage shrubbery greenery
  advertising lighting gravel hay straw wool leather shelving bedding seating`.split(/\s+/),
)

/** Number and stated count of the noun phrase of tokens `start` to `end`. */
export function quantity(tokens: readonly TaggedToken[], start: number, end: number): Quantity {
  const head = wordAt(tokens, end - 1)
  const plural = isPlural(tokens[end - 1]) || head !== lemma(head)
  const of = measureEnd(tokens, start, end)
  const count = of === undefined ? stated(tokens, start, end, plural) : ofMeasure(tokens, start, of, head)
  if (plural || (count ?? 0) > 1) return { number: 'plural', count }
  if (count === null && isMass(head)) return { number: 'mass', count }
  return { number: 'singular', count }
}

/** Where "of" stands behind a measure, in "a group of people". */
function measureEnd(tokens: readonly TaggedToken[], start: number, end: number): number | undefined {
  for (let at = start + 1; at < end - 1; at++) {
    if (wordAt(tokens, at) === 'of' && measures.has(lemma(wordAt(tokens, at - 1)))) return at
  }
  return undefined
}

function ofMeasure(tokens: readonly TaggedToken[], start: number, of: number, head: string): number | null {
  const measure = lemma(wordAt(tokens, of - 1))
  const size = sets.get(measure)
  if (size === undefined) return null
  const times = stated(tokens, start, of, true) ?? (isPlural(tokens[of - 1]) ? undefined : 1)
  // "hundreds of birds".
  if (times === undefined) return null
  return measure === 'pair' && pairOfOne.has(head) ? times : size * times
}

/**
 * The number that stands in front or behind an article. "A number 10 bus" and "1967 Ford Mustang" are one;
 * "twenty two" is not summed up and says nothing here.
 */
function stated(tokens: readonly TaggedToken[], start: number, end: number, plural: boolean): number | null {
  const found: number[] = []
  for (let at = start; at < end - 1; at++) {
    const word = wordAt(tokens, at)
    const tag = tagAt(tokens, at)
    // "the $18 burger".
    if (tagAt(tokens, at - 1) === '$') continue
    const value = tag === 'CD' && /^\d{1,4}$/.test(word) ? Number(word) : numbers.get(word)
    if (value !== undefined && (plural || value <= 20)) found.push(value)
  }
  if (one.has(wordAt(tokens, start)) && (!plural || found.length === 0)) return plural ? null : 1
  return (found.length === 1 ? found[0] : undefined) ?? null
}

/** A noun without article or plural of a stuff. */
function isMass(word: string): boolean {
  return masses.has(word) || visibility(word) === 'substance'
}
