import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it, as `mkdir` does recursively, and gives the first that was made. Where the
 * system refuses, its reason is thrown: Node says of a disk that cannot be written to that the folder is not there.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(folder) === folder) throw error
    // The folder above is made, or says why it cannot be; then this one alone.
    const first = await makeFolder(dirname(folder))
    await mkdir(folder).catch(async (refusal: NodeJS.ErrnoException) => {
      const found = refusal.code === 'EEXIST' ? await stat(folder).catch(() => undefined) : undefined
      if (!found?.isDirectory()) throw refusal
    })
    return first ?? folder
  }
}
