import { rm, stat } from 'node:fs/promises'
import { processState } from '../process-identity.js'
import { absent } from './sync-folder.js'
import { asideOwner } from './write-file-atomic.js'

/** What nobody has finished in a day is left over, whoever began it. */
export const leftOverAfter = 24 * 3600 * 1000

/** Whether a file aside, by its name and when it was last written, certainly is written no more. */
export async function isLeftOver(name: string, modified: number): Promise<boolean> {
  if (Date.now() - modified > leftOverAfter) return true
  const owner = asideOwner(name)
  return owner !== undefined && (await processState(owner)) === 'gone'
}

/** Removes a file aside if it certainly is written no more. */
export async function sweepAside(path: string): Promise<void> {
  const found = await stat(path).catch(absent)
  if (found && (await isLeftOver(path, found.mtimeMs))) await rm(path, { force: true })
}
