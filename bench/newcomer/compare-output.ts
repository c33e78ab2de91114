/** Differs between two machines: how long it took, how fast it was, and which port was free. */
const changing: readonly (readonly [RegExp, string])[] = [
  [/\b\d+ h \d+ min\b|\b\d+ min(?: \d+ s)?\b|\b\d+(?:\.\d+)? (?:s|ms|min|h)\b/g, '# s'],
  [/\b[\d,]+(?:\.\d+)?\/s\b/g, '#/s'],
]

/**
 * What a document says that commands print, held against what they printed: every line that it shows must be there, in
 * its order, and no others. In what is shown `…` stands for anything within a line, and a line of `…` alone for any lines.
 *
 * @param options.anyNumbers numbers and the widths of tables may be others, as of another dataset
 * @returns the first line that is not there, or null
 */
export function differingLine(
  shown: string,
  printed: string,
  { anyNumbers = false }: { readonly anyNumbers?: boolean } = {},
): string | null {
  const normalise = (text: string) => normalised(text, anyNumbers)
  const actual = normalise(printed)
  let at = 0
  let skips = false
  for (const line of normalise(shown)) {
    if (line === '…') {
      skips = true
      continue
    }
    const matches = pattern(line)
    const found = skips ? actual.findIndex((other, index) => index >= at && matches.test(other)) : at
    if (found === -1 || !matches.test(actual[found] ?? '\n')) return line
    at = found + 1
    skips = false
  }
  return skips || at === actual.length ? null : `nothing more, but there is: ${actual[at]}`
}

function normalised(text: string, anyNumbers: boolean): string[] {
  let plain = text
  for (const [those, mark] of changing) plain = plain.replace(those, mark)
  if (anyNumbers) plain = plain.replace(/~?\d[\d,.]*/g, '#').replace(/─+/g, '─')
  return plain
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '))
    .filter((line) => line !== '')
}

function pattern(line: string): RegExp {
  const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
