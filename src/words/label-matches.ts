/** A phrase and its head noun, as the chunker finds it. */
interface HeadedPhrase {
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

/**
 * Whether a phrase can mean what a detector's label names: its head is the label, or the label's plural, or
 * one of the label's synonyms. Of a label of several words ("traffic light", "tv_monitor") the last must be
 * the head and the others stand before it in the phrase. Case makes no difference.
 *
 * @param synonyms further names by label, such as person: [man, woman]
 */
export function labelMatches(
  label: string,
  phrase: HeadedPhrase,
  synonyms: Readonly<Record<string, readonly string[]>> = {},
): boolean {
  const lower = label.toLowerCase()
  const further = Object.entries(synonyms).flatMap(([name, names]) =>
    name.toLowerCase() === lower ? names : [],
  )
  return [lower, ...further].some((name) => isNamed(name.toLowerCase(), phrase))
}

function isNamed(name: string, { text, head }: HeadedPhrase): boolean {
  const words = wordsOf(name)
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
