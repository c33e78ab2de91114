/**
 * The names that are most like a word that is none of them: so few letters apart that one may be meant for the other,
 * or with the word as a part.
 *
 * @returns at most `most`, the nearest first; none where nothing is near
 */
export function nearest(word: string, names: Iterable<string>, most = 3): string[] {
  const wanted = word.toLowerCase()
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  return [...new Set(names)]
    .map((name) => {
      const own = name.toLowerCase()
      const isPart = wanted.length > 2 && (own.includes(wanted) || (own.length > 2 && wanted.includes(own)))
      return { name, away: Math.min(distance(wanted, own), isPart ? limit : Number.POSITIVE_INFINITY) }
    })
    .filter(({ away }) => away <= limit)
    .sort((a, b) => a.away - b.away || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name)
}

/** Letters that are put in, left out, changed or swapped with their neighbour (Damerau and Levenshtein). */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)]
  for (let row = 1; row <= a.length; row++) {
    const now = [row]
    for (let at = 1; at <= b.length; at++) {
      const same = a[row - 1] === b[at - 1] ? 0 : 1
      const swapped =
        a[row - 1] === b[at - 2] && a[row - 2] === b[at - 1] ? before[at - 2]! + 1 : Number.POSITIVE_INFINITY
      now.push(Math.min(last[at]! + 1, now[at - 1]! + 1, last[at - 1]! + same, swapped))
    }
    ;[before, last] = [last, now]
  }
  return last[b.length]!
}
