import { rm, stat, writeFile } from 'node:fs/promises'
import { absent } from '../base/files/sync-folder.js'
import { asidePath } from '../base/files/write-file-atomic.js'

/**
 * Milliseconds since a file was last written, by the clock of whoever keeps the file system: a file that is
 * written now says what that is. Of a folder that several machines share, their own clocks may differ.
 * Undefined where there is no such file.
 */
export async function ageOfFile(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(absent)
  if (!found) return undefined
  const now = asidePath(path)
  try {
    await writeFile(now, '')
    return (await stat(now)).mtimeMs - found.mtimeMs
  } finally {
    await rm(now, { force: true })
  }
}
