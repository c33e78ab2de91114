import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UserError } from '../../base/user-error.js'
import { compressedEndings } from '../../formats/read-bytes.js'

/**
 * The files that a path names, sorted: itself; of a folder the files in it with one of the endings; of a
 * pattern (`*` and `?` within a name, `**` across folders, `{a,b}`, `{00000..00127}`) those that it matches.
 *
 * @param endings such as `.tsv`; each also with `.gz` or `.zst` behind it
 * @throws UserError where there are none
 */
export async function sourceFiles(path: string, endings: readonly string[]): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return [path]
  if (found?.isDirectory()) {
    const names = (await readdir(path)).filter((name) => endings.some((ending) => endsWith(name, ending)))
    if (names.length > 0) return names.sort().map((name) => join(path, name))
    throw new UserError(`${path} has no files that end in ${endings.join(', ')}, .gz or .zst added or not.`)
  }
  if (!/[*?{]/.test(path)) throw new UserError(`Cannot read ${path}: there is no such file or folder.`)
  const files = await matching(path)
  if (files.length > 0) return files
  throw new UserError(`No file matches ${path}.`)
}

/** The folder below which all files of a folder or a pattern are. */
export const folderOf = (path: string): string =>
  /[*?{]/.test(path) ? (/^[^*?{]*\//.exec(path.replaceAll('\\', '/'))?.[0] ?? './') : path

function endsWith(name: string, ending: string): boolean {
  const lower = name.toLowerCase()
  return ['', ...compressedEndings].some((compressed) => lower.endsWith(ending + compressed))
}

async function matching(pattern: string): Promise<string[]> {
  const clean = pattern.replaceAll('\\', '/')
  const fixed = /^[^*?{]*\//.exec(clean)?.[0] ?? './'
  const matches = patternOf(clean.slice(fixed === './' && !clean.startsWith('./') ? 0 : fixed.length))
  const isDeep = clean.slice(fixed.length).includes('/')
  const entries = await readdir(fixed, { recursive: isDeep, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(fixed, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((name) => matches.test(name))
    .sort()
    .map((name) => join(fixed, name))
}

/** A pattern as a regular expression over a whole relative path. */
function patternOf(pattern: string): RegExp {
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
