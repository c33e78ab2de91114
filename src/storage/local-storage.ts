import {
  access,
  copyFile,
  type FileHandle,
  link,
  open,
  opendir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { unreadable } from '../base/files/read-file.js'
import { sweepAside } from '../base/files/sweep-aside.js'
import { absent, syncFolder } from '../base/files/sync-folder.js'
import {
  asideOwner,
  asidePath,
  asideSuffix,
  sweepFolder,
  writeFileAtomic,
  writeSynced,
} from '../base/files/write-file-atomic.js'
import { writeChunks } from '../base/files/write-pieces.js'
import { hashBytes } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { ageOfFile } from './file-age.js'
import type { OpenObject, Storage } from './storage.js'
import { isWithoutLinks, swapFile, sweepSwapLock } from './swap-file.js'

/** The storage in a folder of this machine. */
export function openLocalStorage(url: string): Storage {
  const root = resolve(url)
  const path = (name: string) => {
    const full = join(root, name)
    // Names are also such as a stranger has written into a record.
    if (full !== root && !full.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))
      throw new UserError(`"${name}" leads out of ${url}: nothing there is read or written.`)
    return full
  }
  return {
    url,
    path,
    isLocal: true,
    exists: (name) =>
      access(path(name)).then(
        () => true,
        () => false,
      ),
    read: (name) => readWhole(path(name)),
    async write(name, bytes) {
      await makeSyncedFolder(dirname(path(name)))
      await writeFileAtomic(path(name), bytes)
      await syncFolder(dirname(path(name)))
    },
    async create(name, bytes) {
      const temporaryPath = asidePath(path(name))
      await makeSyncedFolder(dirname(temporaryPath))
      try {
        await writeSynced(temporaryPath, bytes)
        // Unlike a rename, a link is refused where there is a file.
        await link(temporaryPath, path(name))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        if (!isWithoutLinks(error)) throw error
        if (!(await swapFile(path(name), bytes, undefined))) return false
      } finally {
        await rm(temporaryPath, { force: true })
      }
      await syncFolder(dirname(temporaryPath))
      return true
    },
    async readVersioned(name) {
      const bytes = await readWhole(path(name))
      return bytes && { bytes, version: hashBytes(bytes) }
    },
    async swap(name, bytes, before) {
      await makeSyncedFolder(dirname(path(name)))
      const isSwapped = await swapFile(path(name), bytes, before)
      if (isSwapped) await syncFolder(dirname(path(name)))
      return isSwapped
    },
    age: (name) => ageOfFile(path(name)),
    async writeStream(name, chunks) {
      const aside = await writeAside(path(name), chunks)
      try {
        await rename(aside, path(name))
      } catch (error) {
        await rm(aside, { force: true })
        throw error
      }
      await syncFolder(dirname(path(name)))
    },
    async writeAside(name, chunks, onFailure) {
      const aside = await writeAside(path(name), chunks, onFailure)
      return {
        path: aside,
        place: (final) => placeFile(aside, asidePath(path(name)), path(final)),
        discard: () => rm(aside, { force: true }),
      }
    },
    async list(prefix) {
      const entries = await readdir(path(prefix), { recursive: true, withFileTypes: true }).catch(absent)
      return (entries ?? [])
        .filter((entry) => entry.isFile() && !entry.name.endsWith(asideSuffix))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
        .sort()
    },
    async listBeginning(start) {
      const folder = dirname(start)
      const names = (await readdir(path(folder)).catch(absent)) ?? []
      return names
        .filter((name) => name.startsWith(basename(start)) && !name.endsWith(asideSuffix))
        .map((name) => `${folder}/${name}`)
        .sort()
    },
    async *listFiles(prefix, where = 'below') {
      const folders = [path(prefix)]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const entries = await opendir(folder).catch(absent)
        for await (const entry of entries ?? []) {
          const full = join(folder, entry.name)
          if (entry.isDirectory()) {
            if (where === 'below') folders.push(full)
          } else if (entry.isFile()) {
            const found = await stat(full).catch(absent)
            const name = relative(root, full).replaceAll('\\', '/')
            if (found) yield { name, size: found.size, modified: found.mtimeMs }
          }
        }
      }
    },
    async folders() {
      const entries = await readdir(root, { withFileTypes: true }).catch(unreadable(url))
      return entries
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
    },
    async remove(name) {
      const removed = await unlink(path(name)).then(() => true, absent)
      if (removed) await syncFolder(dirname(path(name)))
    },
    async sweep(folder) {
      for (const file of (await readdir(path(folder)).catch(absent)) ?? [])
        if (file.endsWith(asideSuffix)) {
          const found = join(path(folder), file)
          if (asideOwner(file) || !(await sweepSwapLock(found))) await sweepAside(found)
        }
    },
  }
}

/** The bytes of a file, undefined where there is none. A pipe or a device would have no end. */
async function readWhole(path: string): Promise<Buffer | undefined> {
  const found = await stat(path).catch(absent)
  if (!found) return undefined
  if (!found.isFile())
    throw new UserError(`${path} is ${found.isDirectory() ? 'a folder' : 'no file'}, where a file is needed.`)
  return readFile(path).catch(absent)
}

/** Writes a file beside the one that it is to be, and gives its path. */
async function writeAside(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  onFailure?: () => void,
): Promise<string> {
  const aside = asidePath(path)
  await makeSyncedFolder(dirname(aside))
  try {
    const file = await open(aside, 'w')
    try {
      await writeChunks(file, chunks, onFailure)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
  return aside
}

/**
 * Puts a file in place of whatever has that name, and leaves it aside as well.
 *
 * @param second a name aside that is free
 */
async function placeFile(aside: string, second: string, path: string): Promise<void> {
  await makeSyncedFolder(dirname(path))
  // Not every file system has links.
  await link(aside, second).catch(() => copyFile(aside, second))
  try {
    await rename(second, path)
  } finally {
    // Where the file is in place already, a rename leaves both names.
    await rm(second, { force: true })
  }
  await syncFolder(dirname(path))
}

/**
 * Makes a folder and those above it, each of them there after a power cut too. Of one that is there, what killed
 * programs have left in it is removed.
 */
async function makeSyncedFolder(folder: string) {
  const first = await makeFolder(folder)
  if (first === undefined) return sweepFolder(folder)
  for (let created = folder; created.length >= first.length; created = dirname(created))
    await syncFolder(dirname(created))
}

/**
 * Opens a file of this machine.
 *
 * @throws UserError where there is none
 */
export async function openLocalObject(location: string): Promise<OpenObject> {
  const handle = await open(location, 'r').catch(unreadable(location))
  try {
    const found = await handle.stat()
    if (found.isDirectory()) unreadable(location)({ code: 'EISDIR' })
    const { size } = found
    return {
      size,
      read: (start, end, into) => readRange(handle, start, end, into),
      close: () => handle.close(),
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readRange(
  handle: FileHandle,
  start: number,
  end: number,
  into?: ArrayBuffer,
): Promise<ArrayBuffer> {
  // Every byte is read into: there is no need of zeros first.
  const bytes = into ? Buffer.from(into, 0, end - start) : Buffer.allocUnsafeSlow(end - start)
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done)
    if (bytesRead === 0) throw new Error(`it ends at byte ${start + done}`)
    done += bytesRead
  }
  return bytes.buffer as ArrayBuffer
}
