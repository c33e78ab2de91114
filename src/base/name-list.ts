/** A message that is longer than this many names, or has longer ones, is read by nobody. */
const mostNames = 40
const longestName = 60

/**
 * Names that a file gives, for a message: in quotation marks where white space or signs in them would not be
 * seen, cut where they are long, and the first forty where there are more.
 */
export function nameList(names: Iterable<string>): string {
  const all = [...names]
  const shown = all.slice(0, mostNames).map((name) => {
    const cut = name.length > longestName ? `${name.slice(0, longestName)}…` : name
    return /^[^\s"',]+( [^\s"',]+)*$/.test(cut) ? cut : JSON.stringify(cut)
  })
  return all.length > mostNames ? `${shown.join(', ')} and ${all.length - mostNames} more` : shown.join(', ')
}
