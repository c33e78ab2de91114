import { LruCache } from '../base/lru-cache.js'
import type { Span } from './name-prompt.js'

/** What of a thing a word tells: its colour, its size, how many there are, or where it is. */
export type AttributeKind = 'colour' | 'size' | 'number' | 'place'

export const attributeKinds: readonly AttributeKind[] = ['colour', 'size', 'number', 'place']

/** A word of a phrase that gives an attribute a value. */
export interface AttributeValue {
  readonly kind: AttributeKind
  /** The value, lower case: "red", "grey" for "gray" too. */
  readonly value: string
  /** Where its word stands in the phrase, in code points. */
  readonly span: Span
  /**
   * Other values that cannot be true of the same thing, as words: never empty. Values that people mix up (red
   * and orange) are not among each other's.
   */
  readonly others: readonly string[]
}

/** A family of values: whoever has one of them has not those that exclude it. */
interface Scale {
  readonly kind: AttributeKind
  /** Words of each value; the first is its name, and stands in the place of another. */
  readonly values: readonly (readonly string[])[]
  /** Pairs of names that may be said of one thing. */
  readonly near: readonly (readonly [string, string])[]
}

const scales: readonly Scale[] = [
  {
    kind: 'colour',
    values: [
      ['red', 'crimson', 'scarlet', 'maroon', 'burgundy', 'reddish'],
      ['green', 'lime', 'olive', 'greenish'],
      ['blue', 'navy', 'turquoise', 'teal', 'cyan', 'bluish'],
      ['yellow', 'yellowish'],
      ['orange', 'peach'],
      ['purple', 'violet', 'lavender', 'magenta'],
      ['pink'],
      ['brown', 'tan', 'beige', 'khaki', 'brownish', 'brunette'],
      ['black'],
      ['white', 'ivory', 'cream'],
      ['grey', 'gray', 'silver', 'greyish', 'grayish'],
    ],
    near: [
      ['red', 'orange'],
      ['red', 'pink'],
      ['red', 'brown'],
      ['red', 'purple'],
      ['orange', 'yellow'],
      ['orange', 'brown'],
      ['yellow', 'brown'],
      ['yellow', 'green'],
      ['yellow', 'white'],
      ['green', 'blue'],
      ['blue', 'purple'],
      ['purple', 'pink'],
      ['brown', 'black'],
      ['brown', 'white'],
      ['brown', 'grey'],
      ['black', 'grey'],
      ['black', 'blue'],
      ['white', 'grey'],
      ['white', 'pink'],
    ],
  },
  ...[
    [
      ['big', 'large', 'huge', 'giant', 'enormous', 'gigantic', 'massive', 'oversized'],
      ['small', 'little', 'tiny', 'mini', 'miniature'],
    ],
    [['tall'], ['short']],
    [['long'], ['short']],
    [['wide'], ['narrow']],
    [['thick'], ['thin']],
  ].map((values): Scale => ({ kind: 'size', values, near: [] })),
  {
    kind: 'number',
    values: [
      ['two', '2'],
      ['three', '3'],
      ['four', '4'],
      ['five', '5'],
      ['six', '6'],
    ],
    near: [],
  },
  ...[
    [['left'], ['right']],
    [
      ['top', 'upper'],
      ['bottom', 'lower'],
    ],
    [
      ['above', 'over'],
      ['below', 'under', 'beneath', 'underneath'],
    ],
    [['front'], ['back']],
    [['inside'], ['outside']],
  ].map((values): Scale => ({ kind: 'place', values, near: [] })),
]

interface Entry {
  readonly kind: AttributeKind
  readonly value: string
  readonly others: readonly string[]
}

/** By word. A word of two scales ("short") has the first one's. */
const entries: ReadonlyMap<string, Entry> = (() => {
  const found = new Map<string, Entry>()
  for (const { kind, values, near } of scales) {
    const names = values.flatMap(([name]) => (name === undefined ? [] : [name]))
    for (const words of values) {
      const [value] = words
      if (value === undefined) continue
      const isNear = (other: string) =>
        near.some(([a, b]) => (a === value && b === other) || (b === value && a === other))
      const others = names.filter((other) => other !== value && !isNear(other))
      for (const word of words) if (!found.has(word)) found.set(word, { kind, value, others })
    }
  }
  return found
})()

/** Phrases come again and again: of a training's pictures, with every step. */
const known = new LruCache<string, readonly AttributeValue[]>({ maxSize: 10_000 })

/** The attributes that a phrase names, in the order of its words. */
export function attributeValues(phrase: string): readonly AttributeValue[] {
  const last = known.get(phrase)
  if (last) return last
  const values = namedIn(phrase)
  known.set(phrase, values)
  return values
}

function namedIn(phrase: string): AttributeValue[] {
  return [...phrase.matchAll(/[\p{L}\p{N}]+/gu)].flatMap((match): AttributeValue[] => {
    const entry = entries.get(match[0].toLowerCase())
    if (!entry) return []
    const start = [...phrase.slice(0, match.index)].length
    return [{ ...entry, span: [start, start + [...match[0]].length] }]
  })
}

/**
 * Whether what has the one value cannot have the other: red and blue, not red and orange. How many there are
 * says nothing of each of them, so numbers exclude nothing.
 */
export const excludes = (own: AttributeValue, other: AttributeValue): boolean =>
  own.kind === other.kind && own.kind !== 'number' && own.others.includes(other.value)

const counts: ReadonlyMap<string, number> = new Map(
  ['two', 'three', 'four', 'five', 'six'].map((value, index) => [value, index + 2]),
)

/** How many things the value of a number speaks of, 2 to 6; undefined for what is no such value. */
export const countOfValue = (value: string): number | undefined => counts.get(value)

/**
 * The phrase with another value in the place of a word of it: "a red cat" becomes "a blue cat", "an orange
 * cat" "a blue cat".
 */
export function withAttribute(phrase: string, { span: [start, end] }: AttributeValue, value: string): string {
  const points = [...phrase]
  const before = points.slice(0, start).join('')
  const after = points.slice(end).join('')
  const isVowel = /^[aeiou]/i.test(value)
  const lead = before.replace(/\b(a)n?(\s+)$/iu, (_, article: string, space: string) =>
    isVowel ? `${article}n${space}` : `${article}${space}`,
  )
  const first = points[start] ?? ''
  const isUpper = first !== first.toLowerCase()
  return lead + (isUpper ? value.charAt(0).toUpperCase() + value.slice(1) : value) + after
}
