import { lstat, realpath, stat } from 'node:fs/promises'
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
