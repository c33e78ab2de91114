import {
  access,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { absent, syncFolder } from '../base/sync-folder.js'
import { UserError } from '../base/user-error.js'
import { asidePath, asideSuffix, writeFileAtomic } from '../base/write-file-atomic.js'
import { writeChunks } from '../base/write-pieces.js'
import type { OpenObject, Storage } from './storage.js'

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
        await writeFileAtomic(temporaryPath, bytes)
        // Unlike a rename, a link is refused where there is a file.
        await link(temporaryPath, path(name))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
        throw error
      } finally {
        await rm(temporaryPath, { force: true })
      }
      await syncFolder(dirname(temporaryPath))
      return true
    },
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
      for (const file of (await readdir(folder).catch(absent)) ?? []) {
        if (!file.startsWith(start) || !file.endsWith(asideSuffix)) continue
        const writer = Number.parseInt(file.slice(start.length), 10)
        if (!(await isBeingWritten(join(folder, file), writer))) await rm(join(folder, file), { force: true })
      }
    },
  }
}

/** Whether the process that began a file still lives, so far as this machine can tell. */
async function isBeingWritten(path: string, pid: number): Promise<boolean> {
  if (pid === process.pid) {
    // In a container every run may have the same number: what is older than this process is not its own.
    const modified = (await stat(path).catch(absent))?.mtimeMs ?? 0
    return modified >= Date.now() - process.uptime() * 1000
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
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
