import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Marks files that are still being written; whoever lists a folder leaves them out. */
export const asideSuffix = '.aside'

/** A name beside `path` for writing before the rename. */
export function asidePath(path: string): string {
  return `${path}.${process.pid}-${randomBytes(4).toString('hex')}${asideSuffix}`
}

/** Writes a file so that it is there whole or not at all, also after a power cut. Makes its folder. */
export async function writeFileAtomic(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const aside = asidePath(path)
  try {
    const file = await open(aside, 'w')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}
