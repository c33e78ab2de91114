import { UserError } from '../../base/user-error.js'
import { compressedEndings } from '../../formats/read-bytes.js'

/** Whether a path is a pattern of names. */
export const isPattern = (path: string): boolean => /[*?{]/.test(path)

/** Whether a name ends so, compressed or not. */
export function endsWith(name: string, ending: string): boolean {
  const lower = name.toLowerCase()
  return ['', ...compressedEndings].some((compressed) => lower.endsWith(ending + compressed))
}

/**
 * A pattern as a regular expression over a whole relative path: `*` and `?` within a name, `**` across folders,
 * `{a,b}`, `{00000..00127}`.
 */
export function patternOf(pattern: string): RegExp {
  const source = pattern.replace(
    /\*\*\/|\*\*|\*|\?|\{(\d+)\.\.(\d+)\}|\{([^{}]*)\}|[.+^$()|[\]\\{}]/g,
    (sign, first?: string, last?: string, choices?: string) => {
      if (sign === '**/') return '(?:.*/)?'
      if (sign === '**') return '.*'
      if (sign === '*') return '[^/]*'
      if (sign === '?') return '[^/]'
      if (first !== undefined && last !== undefined) return `(?:${range(first, last).join('|')})`
      if (choices !== undefined) return `(?:${choices.split(',').map(literal).join('|')})`
      return `\\${sign}`
    },
  )
  return new RegExp(`^${source}$`)
}

const literal = (text: string) => text.replace(/[.*+?^$()|[\]\\{}]/g, '\\$&')

/** WebDataset's ranges: numbers as wide as the first. */
function range(first: string, last: string): string[] {
  const count = Number(last) - Number(first) + 1
  if (!(count >= 1 && count <= 1_000_000))
    throw new UserError(`{${first}..${last}} is not a range of numbers.`)
  return Array.from({ length: count }, (_, index) =>
    String(Number(first) + index).padStart(first.length, '0'),
  )
}
