import { rm, stat } from 'node:fs/promises'
import { processState } from '../process-identity.js'
import { absent } from './sync-folder.js'
import { asideOwner } from './write-file-atomic.js'

/** What a process of which nothing is known here has not finished in a day is left over. */
export const leftOverAfter = 24 * 3600 * 1000

/**
 * Whether a file aside certainly is written no more: by its name, and where its process is one of which nothing is
 * known here, by when it was last written. Clocks say nothing of a process that lives.
 */
export async function isLeftOver(name: string, modified: number): Promise<boolean> {
  const owner = asideOwner(name)
  const state = owner ? await processState(owner) : 'elsewhere'
  return state === 'elsewhere' ? Date.now() - modified > leftOverAfter : state === 'gone'
}

/** Removes a file aside if it certainly is written no more. */
export async function sweepAside(path: string): Promise<void> {
  const found = await stat(path).catch(absent)
  if (found && (await isLeftOver(path, found.mtimeMs))) await rm(path, { force: true })
}
