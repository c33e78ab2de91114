import { realpath } from 'node:fs/promises'
import { isAbsolute, relative, sep } from 'node:path'

/** What there is to do about a file that is outside of a source's folder. */
export const outsideAdvice = 'where that is meant, say outside: true in the source'

/**
 * Whether a file or folder lies in one of some folders or below it, or is one of them, links resolved: a link
 * that leads out of a folder does not lie in it.
 *
 * @throws the system's error where the path names nothing
 */
export async function isInside(path: string, folders: readonly string[]): Promise<boolean> {
  const own = await realpath(path)
  for (const folder of folders) {
    const root = await realpath(folder === '' ? '.' : folder).catch(() => undefined)
    if (root === undefined) continue
    const way = relative(root, own)
    if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return true
  }
  return false
}
