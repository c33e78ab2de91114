import { join } from 'node:path'

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
