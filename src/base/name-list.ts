/** A message that is longer than this many names, or has longer ones, is read by nobody. */
const mostNames = 40
const longestName = 60
/** Nor one of more characters, however many names it has beyond these few. */
const longestList = 600
const fewNames = 4
/** A path is of use where it is whole. */
const longestPath = 400

/**
 * Names that a file gives, for a message: in quotation marks where white space or signs in them would not be
 * seen, cut where they are long, and the first forty, or fewer long ones, where there are more.
 *
 * @param longest characters of one; more of a path
 * @param most names that are shown
 */
export function nameList(names: Iterable<string>, longest = longestName, most = mostNames): string {
  const all = [...names]
  let length = 0
  const shown = all
    .slice(0, most)
    .map((name) => shownName(name, longest))
    .filter((name, at) => {
      length += name.length + 2
      return at < fewNames || length <= longestList
    })
  return shown.length < all.length
    ? `${shown.join(', ')} and ${all.length - shown.length} more`
    : shown.join(', ')
}

/** Paths that were looked for, for a message. */
export const pathList = (paths: Iterable<string>): string => nameList(paths, longestPath)

/** Any value of a file, for a message: its JSON, cut where it is long. */
export function shownValue(value: unknown, longest = longestName): string {
  const text = jsonText(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

/** JSON has no whole numbers of any length, and pickles have both them and lists that hold themselves. */
function jsonText(value: unknown): string {
  const withDigits = (_: string, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)
  try {
    return JSON.stringify(value, withDigits) ?? 'missing'
  } catch {
    return 'a value that holds itself'
  }
}

/** A line in which no word fills the screen: a stranger's keys and values may be of any length, and have line ends. */
export const shortLine = (text: string): string =>
  text
    .replace(/[\n\r]/g, (end) => JSON.stringify(end).slice(1, -1))
    .replace(/[^\s"/]{80,}/g, (word) => `${word.slice(0, longestName)}…`)
    .slice(0, 1000)

/** One name. */
export function shownName(name: string, longest = longestName): string {
  const cut = name.length > longest ? `${name.slice(0, longest)}…` : name
  return /^[^\s"',]+( [^\s"',]+)*$/.test(cut) ? cut : JSON.stringify(cut)
}
