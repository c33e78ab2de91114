import { realpath } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { LruCache } from '../lru-cache.js'

/** What there is to do about a file that is outside of a source's folder. */
export const outsideAdvice = 'where that is meant, say outside: true in the source'

/** Folders that were asked for last, by their absolute paths, and where they are, links resolved. */
const resolved = new LruCache<string, string>({ maxSize: 1000 })

/**
 * Whether a file or folder lies in one of some folders or below it, or is one of them, links resolved: a link
 * that leads out of a folder does not lie in it. The folders are resolved once, and anew before the answer is no.
 *
 * @throws the system's error where the path names nothing
 */
export async function isInside(path: string, folders: readonly string[]): Promise<boolean> {
  const own = await realpath(path)
  const isBelow = (root: string | undefined) => root !== undefined && leadsDown(relative(root, own))
  if (folders.some((folder) => isBelow(resolved.get(resolve(folder))))) return true
  for (const folder of folders) if (isBelow(await resolveAnew(folder))) return true
  return false
}

const leadsDown = (way: string) => way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)

/** Where a folder is; undefined where there is none. */
async function resolveAnew(folder: string): Promise<string | undefined> {
  const path = resolve(folder)
  const root = await realpath(path).catch(() => undefined)
  if (root === undefined) resolved.delete(path)
  else resolved.set(path, root)
  return root
}
