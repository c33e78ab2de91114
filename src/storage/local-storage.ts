import {
  access,
  type FileHandle,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { hashBytes } from '../base/hash.js'
import { absent, syncFolder } from '../base/sync-folder.js'
import { UserError } from '../base/user-error.js'
import { asidePath, asideSuffix, writeFileAtomic, writeSynced } from '../base/write-file-atomic.js'
import { writeChunks } from '../base/write-pieces.js'
import { ageOfFile } from './file-age.js'
import type { OpenObject, Storage } from './storage.js'
import { isWithoutLinks, swapFile } from './swap-file.js'
import { sweepAside } from './sweep-aside.js'

/** The storage in a folder of this machine. */
export function openLocalStorage(url: string): Storage {
  const root = resolve(url)
  const path = (name: string) => join(root, name)
  return {
    url,
    path,
    isLocal: true,
    exists: (name) =>
      access(path(name)).then(
        () => true,
        () => false,
      ),
    read: (name) => readFile(path(name)).catch(absent),
    async write(name, bytes) {
      await makeFolder(dirname(path(name)))
      await writeFileAtomic(path(name), bytes)
      await syncFolder(dirname(path(name)))
    },
    async create(name, bytes) {
      const temporaryPath = asidePath(path(name))
      await makeFolder(dirname(temporaryPath))
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
      const bytes = await readFile(path(name)).catch(absent)
      return bytes && { bytes, version: hashBytes(bytes) }
    },
    async swap(name, bytes, before) {
      await makeFolder(dirname(path(name)))
      const isSwapped = await swapFile(path(name), bytes, before)
      if (isSwapped) await syncFolder(dirname(path(name)))
      return isSwapped
    },
    age: (name) => ageOfFile(path(name)),
    async writeStream(name, chunks, check) {
      const temporaryPath = asidePath(path(name))
      await makeFolder(dirname(temporaryPath))
      try {
        const file = await open(temporaryPath, 'w')
        try {
          await writeChunks(file, chunks)
          await file.sync()
        } finally {
          await file.close()
        }
        await check?.(temporaryPath)
        await rename(temporaryPath, path(name))
      } catch (error) {
        await rm(temporaryPath, { force: true })
        throw error
      }
      await syncFolder(dirname(temporaryPath))
    },
    async list(prefix) {
      const entries = await readdir(path(prefix), { recursive: true, withFileTypes: true }).catch(absent)
      return (entries ?? [])
        .filter((entry) => entry.isFile() && !entry.name.endsWith(asideSuffix))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
        .sort()
    },
    async *listFiles(prefix) {
      const folders = [path(prefix)]
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        const entries = await opendir(folder).catch(absent)
        for await (const entry of entries ?? []) {
          const full = join(folder, entry.name)
          if (entry.isDirectory()) folders.push(full)
          else if (entry.isFile()) {
            const found = await stat(full).catch(absent)
            const name = relative(root, full).replaceAll('\\', '/')
            if (found) yield { name, size: found.size, modified: found.mtimeMs }
          }
        }
      }
    },
    async folders() {
      const entries = await readdir(root, { withFileTypes: true }).catch((error: unknown) => {
        throw new UserError(`Cannot read ${url}: ${(error as Error).message}`)
      })
      return entries
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => name)
        .sort()
    },
    async remove(name) {
      const removed = await unlink(path(name)).then(() => true, absent)
      if (removed) await syncFolder(dirname(path(name)))
    },
    async sweep(name) {
      const folder = dirname(path(name))
      const start = `${basename(name)}.`
      for (const file of (await readdir(folder).catch(absent)) ?? [])
        if (file.startsWith(start) && file.endsWith(asideSuffix)) await sweepAside(join(folder, file))
    },
  }
}

/** Makes a folder and those above it, each of them there after a power cut too. */
async function makeFolder(folder: string) {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let created = folder; created.length >= first.length; created = dirname(created))
    await syncFolder(dirname(created))
}

/**
 * Opens a file of this machine.
 *
 * @throws UserError where there is none
 */
export async function openLocalObject(location: string): Promise<OpenObject> {
  const handle = await open(location, 'r').catch((error: unknown) => {
    throw new UserError(`Cannot read ${location}: ${(error as Error).message}`)
  })
  try {
    const { size } = await handle.stat()
    return { size, read: (start, end) => readRange(handle, start, end), close: () => handle.close() }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readRange(handle: FileHandle, start: number, end: number): Promise<ArrayBuffer> {
  // Every byte is read into: there is no need of zeros first.
  const bytes = Buffer.allocUnsafeSlow(end - start)
  let done = 0
  while (done < bytes.length) {
    const { bytesRead } = await handle.read(bytes, done, bytes.length - done, start + done)
    if (bytesRead === 0) throw new Error(`it ends at byte ${start + done}`)
    done += bytesRead
  }
  return bytes.buffer as ArrayBuffer
}
