import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readListText } from '../base/files/read-file.js'
import { pathList } from '../base/name-list.js'
import { UserError } from '../base/user-error.js'
import { linesOf } from './text-lines.js'

/** Whether a name is an address to be fetched from. */
export const isAddress = (name: string): boolean => /^https?:\/\//i.test(name)

/** Whether a name starts from no folder of this machine that could be given: an absolute path, or out of one. */
export const isForeign = (name: string): boolean => /^([a-z]:)?\//i.test(name) || /^\.\.\//.test(name)

/**
 * Where a picture may lie below a folder that the file names by a path of another machine, as Label Studio
 * (`/data/upload/1/a.jpg`) and lists made on Windows do: by its last names, the longest first.
 *
 * @param name with slashes
 */
export function tailsOf(name: string, folder: string): string[] {
  if (!isForeign(name)) return []
  const parts = name.split('/').filter((part) => part !== '' && part !== '..')
  return parts.slice(1).map((_, at) => join(folder, ...parts.slice(at + 1)))
}

/** So many lines of a list are looked up to find from where its paths start. */
const linesTried = 20

type Way = (line: string) => string

/**
 * The pictures of a list. Its paths start from the list's folder, from the dataset's or from the working
 * directory, the first that has one of them; `data/` before them is Darknet's and CVAT's, who leave it out of
 * their archives. Where absolute ones are of another machine, none of them is there: then all lose as many
 * of their first names as it takes for one to be below these folders.
 *
 * @param list a text file, a path a line
 * @param roots the dataset's folders
 * @throws UserError where it names none, or none of the first is there
 */
export async function listedPictures(list: string, roots: readonly string[]): Promise<string[]> {
  const lines = linesOf(await readListText(list)).map((line) => line.replaceAll('\\', '/'))
  if (lines.length === 0) throw new UserError(`${list} names no pictures.`)
  const folders = [dirname(list), ...roots, '.']
  const relative = folders.flatMap((root): Way[] => [
    (line) => join(root, line),
    (line) => join(root, line.replace(/^(\.\/)?data\//, '')),
  ])
  const isElsewhere = (line: string) => isForeign(line) && !line.startsWith('../')
  const absolute = lines.filter(isElsewhere)
  const deepest = Math.max(0, ...absolute.slice(0, linesTried).map((line) => tailsOf(line, '.').length))
  const below = Array.from({ length: deepest }, (_, cut) =>
    folders.map(
      (root): Way =>
        (line) =>
          tailsOf(line, root)[cut] ?? line,
    ),
  ).flat()
  const others = lines.filter((line) => !isElsewhere(line))
  const [way, farWay] = await Promise.all([
    firstWay(others, relative),
    firstWay(absolute, [(line) => line, ...below]),
  ])
  if (!way && !farWay) {
    const [first] = lines as [string]
    const ways = isElsewhere(first) ? [(line: string) => line, ...below] : relative
    const tried = pathList(new Set(ways.map((each) => each(first))))
    throw new UserError(`${list}: none of its first pictures is there (looked for: ${tried}).`)
  }
  return lines.map((line) =>
    isElsewhere(line) ? (farWay?.(line) ?? line) : (way ?? (relative[0] as Way))(line),
  )
}

/** The first way by which one of the first lines is there. */
async function firstWay(lines: readonly string[], ways: readonly Way[]): Promise<Way | undefined> {
  for (const way of ways)
    for (const line of lines.slice(0, linesTried)) if (await isThere(way(line))) return way
  return undefined
}

export const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

/** What stands before the path: `s3://`, `file://`, the page from which Label Studio serves local files. */
const before = /^([a-z][a-z0-9+.-]*:\/\/+|\/?data\/local-files\/\?d=)/i

/** Whether a name starts from a place of another machine (`isForeign`), its owner's folder or a bucket. */
export const isOfElsewhere = (name: string): boolean =>
  isForeign(name) || name.startsWith('~/') || before.test(name)

/** The last parts of a name with slashes, the longest first; what is percent-encoded is as it was before. */
export function nameEnds(name: string): string[] {
  const parts = decoded(name.replace(before, ''))
    .split('/')
    .filter((part) => !['', '.', '..', '~'].includes(part))
  return parts.map((_, at) => parts.slice(at).join('/'))
}

/** Programs that serve pictures by addresses (Label Studio) write the names of files as in one. */
export function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/**
 * Tells of an end whether one name alone has it, so that a file of that name is the picture's. It is worked
 * out when it is first asked for: of a million pictures there are some million ends.
 */
export function soleEnds(names: Iterable<string>): (end: string) => boolean {
  let counts: Map<string, number> | undefined
  return (end) => {
    if (!counts) {
      counts = new Map()
      for (const name of new Set(names))
        for (const own of nameEnds(name)) counts.set(own, (counts.get(own) ?? 0) + 1)
    }
    return counts.get(end) === 1
  }
}
