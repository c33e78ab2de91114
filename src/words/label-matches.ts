/** What a phrase is of, as the chunker says it. */
interface Named {
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
 * Whether a phrase can mean what a detector's label names: its head is the label, or the label's plural, or one of the
 * label's synonyms. Of a label of several words ("traffic light", "tv_monitor") the last must be the head and the others
 * stand before it in the phrase. Case makes no difference.
 *
 * @param synonyms further names by label, such as person: [man, woman]
 */
export function labelMatches(
  label: string,
  phrase: Named,
  synonyms: Readonly<Record<string, readonly string[]>> = {},
): boolean {
  const own = label.toLowerCase()
  const further = Object.entries(synonyms).flatMap(([name, names]) =>
    name.toLowerCase() === own ? names : [],
  )
  return [own, ...further].some((name) => isNamed(name.toLowerCase(), phrase))
}

function isNamed(name: string, { text, head }: Named): boolean {
  const words = wordsOf(name)
  const last = words[words.length - 1]
  if (last === undefined || !isSameNoun(last, head)) return false
  if (words.length === 1) return true
  const spoken = wordsOf(text.toLowerCase())
  return spoken.some(
    (word, at) =>
      isSameNoun(last, word) &&
      words.slice(0, -1).every((other, back) => spoken[at - words.length + 1 + back] === other),
  )
}

function wordsOf(text: string): string[] {
  return text.split(/[\s_-]+/u).filter((word) => word !== '')
}

function isSameNoun(a: string, b: string): boolean {
  return a === b || pluralOf(a) === b || a === pluralOf(b)
}
