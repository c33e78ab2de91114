import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type ProcessIdentity, processState, thisProcess } from '../process-identity.js'
import { makeFolder } from './make-folder.js'

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

/** Folders that this process has looked through. */
const swept = new Set<string>()

/**
 * Removes what processes of this machine that are gone have left half written in a folder, files and folders. A
 * process looks once into each: it may hold many files. What is not certainly left over stays, and what cannot be
 * removed disturbs nobody.
 */
export async function sweepFolder(folder: string): Promise<void> {
  const path = resolve(folder)
  if (swept.has(path)) return
  swept.add(path)
  for (const name of await readdir(path).catch(() => [])) {
    const owner = asideOwner(name)
    if (owner && (await processState(owner)) === 'gone')
      await rm(join(path, name), { recursive: true, force: true }).catch(() => {})
  }
}

/**
 * Writes a file so that it is there whole or not at all, also after a power cut. Makes its folder, and removes what
 * killed programs have left in it (`sweepFolder`).
 *
 * @param bytes the content, or its parts one after another: a large file then needs the memory of one part
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | Iterable<string> | AsyncIterable<Uint8Array>,
): Promise<void> {
  await makeFolder(dirname(path))
  await sweepFolder(dirname(path))
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
  bytes: Uint8Array | Iterable<string> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'w')
  try {
    await writeFile(file, bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
