import { access, constants, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UserError } from '../user-error.js'
import { whyUnreadable } from './why-unreadable.js'

/**
 * Looks whether a folder can be made, or can be written into where it is there. Nothing is made.
 *
 * @throws UserError that says why not
 */
export async function requireWritable(folder: string): Promise<void> {
  for (let path = resolve(folder); ; path = dirname(path)) {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw new UserError(
        error.code === 'ENOTDIR'
          ? `${folder} cannot be made: a part of this path is a file.`
          : `${folder} cannot be made: ${path} cannot be looked at: ${whyUnreadable(error)}`,
      )
    })
    if (!found) continue
    if (!found.isDirectory())
      throw new UserError(`${folder} cannot be made: ${path} is a file. Name another place.`)
    await access(path, constants.W_OK | constants.X_OK).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === 'EROFS' ? 'is on a disk that is read only' : 'cannot be written to'
      const where = path === resolve(folder) ? folder : `${folder}: ${path}`
      throw new UserError(`${where} ${why}. Change its permissions, or name another place.`)
    })
    return
  }
}
