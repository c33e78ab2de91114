import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UserError } from '../user-error.js'

/**
 * Makes a folder and those above it, and gives the first that was made; undefined where it is there. Node's own
 * recursive `mkdir` says of a disk that cannot be written to that the folder is not there, and tries for ever where a
 * system takes no folders (`/proc`).
 *
 * @throws the system's refusal, and UserError where the system takes no folders there
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  const made = await makeOne(folder)
  if (made === 'made') return folder
  if (made === 'there') return undefined
  const above = dirname(folder)
  if (made.code !== 'ENOENT' || above === folder) throw made
  // The folder above is made, or says why it cannot be; then this one alone.
  const first = await makeFolder(above).catch((refusal: NodeJS.ErrnoException) => {
    throw refusal.code === 'EEXIST' ? Object.assign(refusal, { code: 'ENOTDIR' }) : refusal
  })
  const again = await makeOne(folder)
  if (typeof again === 'string') return first ?? folder
  if (again.code !== 'ENOENT') throw again
  throw new UserError(`${folder} cannot be made: ${above} takes no folders. Name another place.`)
}

/** Makes a folder in one that is there, or says why not. */
async function makeOne(folder: string): Promise<'made' | 'there' | NodeJS.ErrnoException> {
  try {
    await mkdir(folder)
    return 'made'
  } catch (refusal) {
    // Some systems refuse for another reason before they look whether it is there.
    const found = await stat(folder).catch(() => undefined)
    return found?.isDirectory() ? 'there' : (refusal as NodeJS.ErrnoException)
  }
}
