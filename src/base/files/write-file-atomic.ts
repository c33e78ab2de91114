import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ProcessIdentity, thisProcess } from '../process-identity.js'

/** Marks files that are still being written; whoever lists a folder leaves them out. */
export const asideSuffix = '.aside'

/** A name beside `path` for writing before the rename: it says which process writes, and no two are the same. */
export function asidePath(path: string): string {
  const { host, pid, started } = thisProcess
  return `${path}.${host}-${pid}-${started}-${randomBytes(4).toString('hex')}${asideSuffix}`
}

/** The process that writes a file aside, by the file's name; undefined where that is no such name. */
export function asideOwner(name: string): ProcessIdentity | undefined {
  const [, host, pid, started] = /\.([A-Za-z0-9_-]+)-(\d+)-([0-9a-z]+)-[0-9a-f]{8}\.aside$/.exec(name) ?? []
  return host !== undefined && started !== undefined ? { host, pid: Number(pid), started } : undefined
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
    await writeSynced(aside, bytes)
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
}

/** Writes a file whose bytes are on the disk when this returns. */
export async function writeSynced(
  path: string,
  bytes: Uint8Array | string | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'w')
  try {
    await writeFile(file, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
