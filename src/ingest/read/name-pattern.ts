import { UserError } from '../../base/user-error.js'
import { compressedEndings } from '../../formats/read-bytes.js'

/** Whether a path is a pattern of names. */
export const isPattern = (path: string): boolean => /[*?{]/.test(path)

/** Whether a name ends so, compressed or not. */
export function endsWith(name: string, ending: string): boolean {
  const lower = name.toLowerCase()
  return ['', ...compressedEndings].some((compressed) => lower.endsWith(ending + compressed))
}

/** Whether a whole relative path is one that a pattern names. */
export interface NamePattern {
  test(path: string): boolean
}

/** Places in a path, before its first sign to behind its last one: 1 where it may have been read to. */
type Places = Uint8Array<ArrayBuffer>

/** One part of a pattern: where it may end, given where it may begin. */
type Part = (path: string, from: Places) => Places

/**
 * A pattern of whole relative paths: `*` and `?` within a name, `**` across folders, `{a,b}`, `{00000..00127}`. A
 * pattern may be a stranger's, as in a card: all places that it may have come to are followed at once, so that it takes
 * as long as it is and as the path is, and no longer.
 *
 * @throws UserError where a range ends before it begins
 */
export function patternOf(pattern: string): NamePattern {
  const parts: Part[] = []
  const signs = /\*\*\/|\*\*|\*|\?|\{(\d+)\.\.(\d+)\}|\{([^{}]*)\}/g
  let end = 0
  for (const found of pattern.matchAll(signs)) {
    const [sign, first, last, choices] = found
    if (found.index > end) parts.push(oneOf([pattern.slice(end, found.index)]))
    end = found.index + sign.length
    if (sign === '**/') parts.push(anyFolders)
    else if (sign === '**') parts.push(anything)
    else if (sign === '*') parts.push(withinName)
    else if (sign === '?') parts.push(oneSign)
    else if (first !== undefined && last !== undefined) parts.push(range(first, last))
    else parts.push(oneOf((choices ?? '').split(',')))
  }
  if (end < pattern.length) parts.push(oneOf([pattern.slice(end)]))
  return {
    test(path) {
      let places = new Uint8Array(path.length + 1)
      places[0] = 1
      for (const part of parts) {
        places = part(path, places)
        if (!places.includes(1)) return false
      }
      return places[path.length] === 1
    },
  }
}

const anyFolders: Part = (path, from) => {
  const to = from.slice()
  for (let at = from.indexOf(1) + 1; at < to.length; at++) if (path[at - 1] === '/') to[at] = 1
  return to
}

const anything: Part = (_, from) => from.slice().fill(1, from.indexOf(1))

const withinName: Part = (path, from) => {
  const to = from.slice()
  for (let at = 1; at < to.length; at++) if (to[at - 1] === 1 && path[at - 1] !== '/') to[at] = 1
  return to
}

/** A part that is so many signs long, of each place where it may begin. */
const ofLengths =
  (lengths: (path: string, from: number) => Iterable<number>): Part =>
  (path, from) => {
    const to = new Uint8Array(from.length)
    for (let at = from.indexOf(1); at !== -1; at = from.indexOf(1, at + 1))
      for (const length of lengths(path, at)) to[at + length] = 1
    return to
  }

const oneSign = ofLengths((path, from) => (from < path.length && path[from] !== '/' ? [1] : []))

/** One of some texts as it stands. */
function oneOf(texts: readonly string[]): Part {
  const known = new Set(texts)
  const lengths = new Set(texts.map((text) => text.length))
  return ofLengths(function* (path, from) {
    for (const length of lengths) if (known.has(path.slice(from, from + length))) yield length
  })
}

/** WebDataset's ranges: numbers as wide as the first. */
function range(first: string, last: string): Part {
  const [least, most] = [Number(first), Number(last)]
  if (!(least <= most && Number.isSafeInteger(most)))
    throw new UserError(`{${first}..${last}} is not a range of numbers.`)
  const longest = Math.max(first.length, String(most).length)
  return ofLengths(function* (path, from) {
    for (let length = first.length; length <= longest; length++) {
      const digits = path.slice(from, from + length)
      if (digits.length < length || !/^\d+$/.test(digits)) return
      const isWritten = length === first.length || digits[0] !== '0'
      if (isWritten && Number(digits) >= least && Number(digits) <= most) yield length
    }
  })
}
