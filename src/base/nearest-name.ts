/** Names beyond these many are not looked through: a stranger's list may be of any length. */
const mostNames = 10_000

/**
 * The name that somebody may have meant: the one that fewest letters tell from it, at most a third of them, or one
 * that begins with it. Undefined where none is near.
 */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const folded = name.toLowerCase()
  let best: string | undefined
  // Of a name of two letters one that differs is no likeness.
  let least = Math.ceil(folded.length / 3 - 0.7) + 0.5
  let seen = 0
  for (const other of names) {
    if (++seen > mostNames) break
    const candidate = other.toLowerCase()
    const distance = candidate.startsWith(folded) && folded.length > 2 ? 0.5 : distanceOf(folded, candidate)
    if (distance >= least) continue
    least = distance
    best = other
  }
  return best
}

/** ` Did you mean "score"?`, for the end of a message; empty where no name is near. */
export function didYouMean(name: string, names: Iterable<string>): string {
  const nearest = nearestName(name, names)
  return nearest === undefined ? '' : ` Did you mean "${nearest}"?`
}

/** Letters to put in, leave out, change or swap with the next: at most as long as names are looked at. */
function distanceOf(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8 || Math.max(a.length, b.length) > 60) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1)
    }
    before = last
    last = row
  }
  return last[b.length]!
}
