/** A message that is longer than this many names, or has longer ones, is read by nobody. */
const mostNames = 40
const longestName = 60
/** A path is of use where it is whole. */
const longestPath = 400

/**
 * Names that a file gives, for a message: in quotation marks where white space or signs in them would not be
 * seen, cut where they are long, and the first forty where there are more.
 *
 * @param longest characters of one; more of a path
 */
export function nameList(names: Iterable<string>, longest = longestName): string {
  const all = [...names]
  const shown = all.slice(0, mostNames).map((name) => shownName(name, longest))
  return all.length > mostNames ? `${shown.join(', ')} and ${all.length - mostNames} more` : shown.join(', ')
}

/** Paths that were looked for, for a message. */
export const pathList = (paths: Iterable<string>): string => nameList(paths, longestPath)

/** One name. */
export function shownName(name: string, longest = longestName): string {
  const cut = name.length > longest ? `${name.slice(0, longest)}…` : name
  return /^[^\s"',]+( [^\s"',]+)*$/.test(cut) ? cut : JSON.stringify(cut)
}
