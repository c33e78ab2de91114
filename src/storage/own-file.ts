import { lstat, realpath, rename, stat } from 'node:fs/promises'
import { sep } from 'node:path'
import { absent } from '../base/files/sync-folder.js'
import { UserError } from '../base/user-error.js'
import type { Storage } from './storage.js'

/**
 * Checks that an object which a record names is a file of the dataset itself: a stranger may have put a link to
 * a file of this machine in its place, or a pipe, which nobody would ever finish reading. A folder of the dataset
 * may be a link: the owner has laid it elsewhere. What is not there is left to who opens it.
 *
 * @throws UserError where it is another file, or none
 */
export async function checkOwnFile(storage: Storage, name: string): Promise<void> {
  // A bucket has neither.
  if (!storage.isLocal) return
  const path = storage.path(name)
  const found = await lstat(path).catch(absent)
  if (!found || found.isFile()) return
  if (!found.isSymbolicLink()) throw new UserError(`${path} is not a file, and a record names it as one.`)
  const target = await realpath(path).catch(absent)
  if (target === undefined) return
  if (!target.startsWith(`${await realpath(storage.path('.'))}${sep}`))
    throw new UserError(
      `${path} is a link to ${target}, outside of the dataset: a dataset's records name its own files only. Put the file itself there (cp -L).`,
    )
  if (!(await stat(target)).isFile())
    throw new UserError(`${path} is a link to ${target}, which is not a file.`)
}

/**
 * Moves what stands in the place of a dataset's own file and is none (`checkOwnFile`) to a free name beside it: what
 * a link leads to stays where it is, and a folder keeps what is in it.
 *
 * @param suffix of that name
 * @returns the name; undefined where nothing was in the way
 */
export async function putStrayAside(
  storage: Storage,
  name: string,
  suffix: string,
): Promise<string | undefined> {
  const isOwn = await checkOwnFile(storage, name).then(
    () => true,
    (error: unknown) => {
      if (error instanceof UserError) return false
      throw error
    },
  )
  if (isOwn) return undefined
  for (let count = 1; ; count++) {
    const aside = `${name}${suffix}${count === 1 ? '' : `-${count}`}`
    if (await lstat(storage.path(aside)).catch(absent)) continue
    await rename(storage.path(name), storage.path(aside))
    return aside
  }
}
