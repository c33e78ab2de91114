/** A name is taken for another where no more letters differ, of as many as it has for one that may. */
const mostLetters = 2
const lettersForOne = 2.5

/** The name that was most likely meant by one that is none of them; undefined where none is near. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const most = Math.min(mostLetters, Math.floor(name.length / lettersForOne))
  let [nearest, least]: [string | undefined, number] = [undefined, most + 1]
  for (const other of names) {
    // Of a name that is much longer or shorter too many letters differ anyway.
    if (Math.abs(other.length - name.length) >= least) continue
    const letters = editDistance(name, other)
    if (letters < least) [nearest, least] = [other, letters]
  }
  return nearest
}

/** How many letters must be changed, added or taken away (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j]! + (letter === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1))
    row = next
  }
  return row[b.length]!
}
