import { nameInPrompt } from './name-prompt.js'

/** A phrase and its head noun, as the chunker finds it. */
export interface HeadedPhrase {
  readonly text: string
  /** Head noun, lower case and singular. */
  readonly head: string
}

const irregular: ReadonlyMap<string, string> = new Map(
  Object.entries({
    person: 'people',
    man: 'men',
    woman: 'women',
    child: 'children',
    foot: 'feet',
    tooth: 'teeth',
    goose: 'geese',
    mouse: 'mice',
    sheep: 'sheep',
    knife: 'knives',
    leaf: 'leaves',
    shelf: 'shelves',
    wolf: 'wolves',
  }),
)

/** The usual plural of an English noun. */
export function pluralOf(noun: string): string {
  const known = irregular.get(noun)
  if (known) return known
  if (/(s|x|z|ch|sh)$/.test(noun)) return `${noun}es`
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`
}

/** Whether a label can be what a phrase names. */
export type LabelMatcher = (label: string, phrase: HeadedPhrase) => boolean

/**
 * Tells which of a detector's labels a phrase can mean: those whose name, or one of whose synonyms, its head
 * is, in the singular or the plural. Of a name of several words ("traffic light", "tv_monitor") the last must
 * be the head and the others stand before it in the phrase. The longest name wins: where "hot dog" is among
 * the labels, "a hot dog" does not mean "dog". Case makes no difference.
 *
 * @param labels all that the detector has; of what is not listed no longer name is known
 * @param synonyms further names by label, such as person: [man, woman]
 */
export function labelMatcher(
  labels: readonly string[],
  synonyms: Readonly<Record<string, readonly string[]>> = {},
): LabelMatcher {
  const further = new Map(Object.entries(synonyms).map(([label, names]) => [foldedLabel(label), names]))
  return namesMatcher(labels, (label) => further.get(foldedLabel(label)) ?? [])
}

/** As `labelMatcher`, with a function that gives further names of a label, which it is given in lower case. */
export function namesMatcher(
  labels: readonly string[],
  furtherNames: (label: string) => readonly string[],
): LabelMatcher {
  const namesOf = (label: string): readonly Name[] =>
    [label, ...furtherNames(label.toLowerCase())].map((name) => wordsOf(name.toLowerCase()))
  const long = labels.flatMap(namesOf).filter((name) => name.length > 1)
  const known = new Map<string, { readonly names: readonly Name[]; readonly rivals: readonly Name[] }>()
  const entryOf = (label: string) => {
    const found = known.get(label)
    if (found) return found
    const names = namesOf(label)
    // Only a name that ends as one of the label's own can name the same phrases.
    const rivals = long.filter((other) =>
      names.some((name) => name.length < other.length && isSameNoun(name.at(-1) ?? '', other.at(-1) ?? '')),
    )
    const entry = { names, rivals }
    known.set(label, entry)
    return entry
  }
  return (label, phrase) => {
    const { names, rivals } = entryOf(label)
    const longest = Math.max(0, ...names.map((name) => (isNamed(name, phrase) ? name.length : 0)))
    return longest > 0 && !rivals.some((other) => other.length > longest && isNamed(other, phrase))
  }
}

/**
 * Tells whether a phrase means another label of a detector that ends in the same noun: "a hot dog" is no dog
 * where "hot dog" is a label, and "a dog" no hot dog where "dog" is one.
 */
export function otherLabelMatcher(labels: readonly string[]): LabelMatcher {
  const matches = labelMatcher(labels)
  return (label, phrase) =>
    isSameNoun(wordsOf(label.toLowerCase()).at(-1) ?? '', phrase.head) &&
    !matches(label, phrase) &&
    labels.some((other) => matches(other, phrase))
}

/** As `labelMatcher`, of a label alone. */
export const labelMatches = (
  label: string,
  phrase: HeadedPhrase,
  synonyms: Readonly<Record<string, readonly string[]>> = {},
): boolean => labelMatcher([], synonyms)(label, phrase)

/**
 * Whether two names of categories are the same: "traffic light" and "Traffic_light", not "dog" and "hot dog",
 * nor "dog" and "dogs". What stands in brackets is not of the name (`nameInPrompt`).
 */
export const isSameName = (a: string, b: string): boolean => foldedName(a) === foldedName(b)

const foldedName = (name: string) => wordsOf(nameInPrompt(name).toLowerCase()).join(' ')

/** A label as lists of names have it: lower case, with a space for each hyphen, underscore and run of white space. */
export const foldedLabel = (label: string): string => wordsOf(label.toLowerCase()).join(' ')

/** Words of a name, lower case. */
type Name = readonly string[]

function isNamed(words: Name, { text, head }: HeadedPhrase): boolean {
  const last = words.at(-1)
  if (last === undefined || !isSameNoun(last, head)) return false
  if (words.length === 1) return true
  const phraseWords = wordsOf(text.toLowerCase())
  return phraseWords.some(
    (word, at) =>
      isSameNoun(last, word) &&
      words.slice(0, -1).every((other, index) => phraseWords[at - words.length + 1 + index] === other),
  )
}

function wordsOf(text: string): string[] {
  return text.split(/[\s_-]+/u).filter((word) => word !== '')
}

/** Whether two nouns are one in the singular or the plural. Lower case. */
export function isSameNoun(a: string, b: string): boolean {
  return a === b || pluralOf(a) === b || a === pluralOf(b)
}
