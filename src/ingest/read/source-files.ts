import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UserError } from '../../base/user-error.js'
import { isHub } from '../../hub/hub-address.js'
import { isS3 } from '../../storage/s3-storage.js'
import { endsWith, isPattern, patternOf } from './name-pattern.js'
import { hubFiles, s3Files } from './remote-files.js'
import { localFile, type SourceFile } from './source-file.js'

/**
 * The files that a path names, sorted: itself; of a folder the files in it with one of the endings; of a
 * pattern (`patternOf`) those that it matches. What lies in a bucket (`s3://`) or on the Hub (`hf://datasets/`) is named
 * in the same way.
 *
 * @param endings such as `.tsv`; each also with `.gz` or `.zst` behind it
 * @throws UserError where there are none
 */
export async function sourceFiles(path: string, endings: readonly string[]): Promise<SourceFile[]> {
  if (isHub(path)) return hubFiles(path, endings)
  if (isS3(path)) return s3Files(path, endings)
  return (await localFiles(path, endings)).map(localFile)
}

async function localFiles(path: string, endings: readonly string[]): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return [path]
  if (found?.isDirectory()) {
    const names = (await readdir(path)).filter((name) => endings.some((ending) => endsWith(name, ending)))
    if (names.length > 0) return names.sort().map((name) => join(path, name))
    throw new UserError(`${path} has no files that end in ${endings.join(', ')}, .gz or .zst added or not.`)
  }
  if (!isPattern(path)) throw new UserError(`Cannot read ${path}: there is no such file or folder.`)
  const files = await matching(path)
  if (files.length > 0) return files
  throw new UserError(`No file matches ${path}.`)
}

/** The folder below which all files of a folder or a pattern are. */
export const folderOf = (path: string): string =>
  isPattern(path) ? (/^[^*?{]*\//.exec(path.replaceAll('\\', '/'))?.[0] ?? './') : path

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
