import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Marks files that are still being written; whoever lists a folder leaves them out. */
export const asideSuffix = '.aside'

/** A name beside `path` for writing before the rename. */
export function asidePath(path: string): string {
  return `${path}.${process.pid}-${randomBytes(4).toString('hex')}${asideSuffix}`
}

/**
 * Writes a file so that it is there whole or not at all, also after a power cut. Makes its folder.
 *
 * @param bytes the content, or its parts one after another: a large file then needs the memory of one part
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string | AsyncIterable<Uint8Array>,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const aside = asidePath(path)
  try {
    const file = await open(aside, 'w')
    try {
      await writeFile(file, bytes)
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
