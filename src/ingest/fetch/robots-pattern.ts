/** A pattern of a robots.txt: a beginning of a path, with `*` for anything and `$` for the end. */
export interface RobotsPattern {
  /** Of its text as it is compared, in characters. */
  readonly length: number
  /** @param path as `robotsPath` gives it */
  readonly matches: (path: string) => boolean
}

/** Of a longer path the beginning is looked at. */
const maxPathLength = 2048

/** A path with its query as patterns are held against it. */
export const robotsPath = (path: string): string => comparable(path.slice(0, maxPathLength))

/**
 * A pattern as RFC 9309 (2.2.2, 2.2.3) has it. What stands between two `*` is looked for from left to right
 * and taken where it comes first: whatever follows then has the most room, so no other place need be tried. So
 * it takes time as the path and the pattern are long, and never more.
 */
export function createPattern(text: string): RobotsPattern {
  const pattern = comparable(text)
  const isWhole = pattern.endsWith('$')
  const [start = '', ...pieces] = (isWhole ? pattern.slice(0, -1) : pattern).split(/\*+/)
  const last = isWhole ? pieces.pop() : undefined
  return {
    length: pattern.length,
    matches(path) {
      if (!path.startsWith(start)) return false
      if (isWhole && last === undefined) return path.length === start.length
      let at = start.length
      for (const piece of pieces) {
        const found = indexOf(path, piece, at)
        if (found < 0) return false
        at = found + piece.length
      }
      return last === undefined || (path.length - at >= last.length && path.endsWith(last))
    },
  }
}

/** Escapes of characters that need none (RFC 3986, 2.3) undone, the others in capitals, and the rest escaped. */
function comparable(text: string): string {
  let escaped = text
  try {
    escaped = encodeURI(text).replaceAll('%25', '%').replace(/%5b/gi, '[').replace(/%5d/gi, ']')
  } catch {
    // Half a surrogate pair matches nothing that an address can have.
  }
  return escaped.replace(/%[0-9a-f]{2}/gi, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : octet.toUpperCase()
  })
}

/**
 * Where a piece first stands in a text, from a place on; -1 where it does not. Knuth, Morris and Pratt (1977):
 * no text is so that it takes longer than both are long.
 */
function indexOf(text: string, piece: string, from: number): number {
  if (piece.length === 0) return from
  // Most pieces are not there at all, or their first character is rare.
  let start = text.indexOf(piece.charAt(0), from)
  if (start < 0 || text.length - start < piece.length) return -1
  if (piece.length === 1) return start
  const borders = bordersOf(piece)
  let matched = 0
  for (; start < text.length; start++) {
    const code = text.charCodeAt(start)
    while (matched > 0 && code !== piece.charCodeAt(matched)) matched = borders[matched - 1] ?? 0
    if (code === piece.charCodeAt(matched)) matched++
    if (matched === piece.length) return start - matched + 1
  }
  return -1
}

/** Of each beginning of a text, how long its longest beginning is that is its end as well. */
function bordersOf(piece: string): Uint16Array {
  const borders = new Uint16Array(piece.length)
  let matched = 0
  for (let at = 1; at < piece.length; at++) {
    while (matched > 0 && piece.charCodeAt(at) !== piece.charCodeAt(matched))
      matched = borders[matched - 1] ?? 0
    if (piece.charCodeAt(at) === piece.charCodeAt(matched)) matched++
    borders[at] = matched
  }
  return borders
}
