/** The words of a text that lists them, between white space. */
export const wordSet = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

const lists = new Map<string, ReadonlySet<string>>()

/**
 * Whether a word is one of a few that are written where it is asked for; none is, where there is no word.
 *
 * @param list words between spaces
 */
export function isOneOf(word: string | undefined, list: string): boolean {
  if (word === undefined) return false
  let words = lists.get(list)
  if (!words) {
    words = wordSet(list)
    lists.set(list, words)
  }
  return words.has(word)
}
