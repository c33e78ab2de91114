import type { Xyxy } from '../../boxes/xyxy.js'
import { attributeValues, countOfValue, excludes } from '../../words/attribute-values.js'
import { isSameNoun, pluralOf } from '../../words/label-matches.js'
import { withoutDeterminer } from '../../words/without-determiner.js'
import type { Sample } from '../samples/sample.js'

/** What is known of a picture beyond the caption that it is shown with. */
export interface PictureTruth {
  readonly things: readonly Thing[]
  /** Whether a phrase names nothing in the picture, as far as anyone can tell. False where it is not known. */
  isAbsent(phrase: string): boolean
}

/** A box and what is said of it. */
export interface Thing {
  readonly box: Xyxy
  /** All that names it in any caption, without determiners and in lower case. */
  readonly names: readonly string[]
  /** Its category names, of those. */
  readonly categories: readonly string[]
}

/**
 * What is known of a picture, from all of its captions.
 *
 * A phrase is absent where the picture's negatives have it, or where the picture is exhaustive, the phrase's
 * noun is one of the category names of its source, and each box that the noun names is of another value of an
 * attribute that the phrase gives. "three cats" is absent where fewer than three could be meant.
 *
 * @param categories names of the source; those of an exhaustive picture are boxed wherever they are
 */
export function pictureTruth(
  sample: Pick<Sample, 'captions' | 'mentioned' | 'negatives' | 'exhaustive' | 'partial'>,
  categories: readonly string[],
): PictureTruth {
  const things = thingsOf(sample)
  const boxed = new Set(things.flatMap(({ names }) => names))
  const mentioned = new Set(sample.mentioned.map(phraseKey))
  const unboxed = [...mentioned].filter((name) => !boxed.has(name))
  const negatives = new Set(sample.negatives.map(({ text }) => phraseKey(text)))
  const partial = sample.partial.map(headOf)
  const isBoxed = memberOf(categories.map(headOf))

  const isAbsent = (phrase: string): boolean => {
    const key = phraseKey(phrase)
    if (mentioned.has(key)) return false
    if (negatives.has(key)) return true
    const head = headOf(key)
    if (!sample.exhaustive || !isBoxed(head)) return false
    if (partial.some((noun) => isSameNoun(noun, head))) return false
    if (unboxed.some((name) => isSameNoun(headOf(name), head) && !areExclusive(name, key))) return false
    const meant = things.filter((thing) => mayName(key, thing)).length
    return meant < countOf(key)
  }
  return { things, isAbsent }
}

/** Whether a noun is one of these, in the singular or the plural: `isSameNoun` of any, for lists of thousands. */
function memberOf(nouns: readonly string[]): (noun: string) => boolean {
  let forms: ReadonlySet<string> | undefined
  const known = new Set(nouns)
  return (noun) => {
    forms ??= new Set([...known, ...[...known].map(pluralOf)])
    return forms.has(noun) || known.has(pluralOf(noun))
  }
}

/**
 * Whether a phrase may be true of a thing that it was not written for: they share a noun, and nothing that is
 * said of the thing speaks against it.
 *
 * @param anyNoun whether the phrase's noun is hidden, so that it may stand for any
 */
export function mayName(phrase: string, { names }: Thing, anyNoun = false): boolean {
  const head = headOf(phrase)
  if (!anyNoun && !names.some((name) => isSameNoun(headOf(name), head))) return false
  return !names.some((name) => areExclusive(name, phrase))
}

/** A phrase as it is compared: without its determiner, in lower case. */
export const phraseKey = (phrase: string): string => withoutDeterminer(phrase.toLowerCase())

/** The noun of a phrase: its last word, lower case. */
export const headOf = (phrase: string): string => phrase.toLowerCase().trim().split(/\s+/).at(-1) ?? ''

/** Whether what has the one name cannot have the other. */
function areExclusive(name: string, phrase: string): boolean {
  const values = attributeValues(phrase)
  return attributeValues(name).some((own) => values.some((other) => excludes(own, other)))
}

/** How many things a phrase speaks of, 1 where it does not say. */
function countOf(phrase: string): number {
  const number = attributeValues(phrase).find(({ kind }) => kind === 'number')
  return (number && countOfValue(number.value)) ?? 1
}

/** The different boxes of all captions. */
function thingsOf({ captions }: Pick<Sample, 'captions'>): Thing[] {
  const found = new Map<string, { box: Xyxy; names: Set<string>; categories: Set<string> }>()
  for (const { text, kind, grounded } of captions) {
    const points = [...text]
    for (const { name: span, boxes } of grounded) {
      const name = phraseKey(points.slice(...span).join(''))
      for (const box of boxes) {
        const thing = found.get(box.join()) ?? { box, names: new Set(), categories: new Set() }
        found.set(box.join(), thing)
        thing.names.add(name)
        if (kind === 'categories') thing.categories.add(name)
      }
    }
  }
  return [...found.values()].map(({ box, names, categories }) => ({
    box,
    names: [...names],
    categories: [...categories],
  }))
}
