import { access, link, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { absent, syncFolder } from '../base/sync-folder.js'
import { UserError } from '../base/user-error.js'
import { asidePath, asideSuffix, writeFileAtomic } from '../base/write-file-atomic.js'
import { writeChunks } from '../base/write-pieces.js'
import { isS3, openS3Storage } from './s3-storage.js'

/** Where the objects of a dataset lie. Names are paths with forward slashes below the dataset. */
export interface Storage {
  /** As the user gave it. */
  readonly url: string
  /** What `openObject` opens and `openStorage` goes on from: of a folder the local file, of a bucket the address. */
  path(name: string): string
  /** Whether what `path` gives is a file of this machine. */
  readonly isLocal: boolean
  exists(name: string): Promise<boolean>
  /** The bytes of an object, or undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Writes an object so that it is there whole or not at all. When this returns, it outlives a power cut. */
  write(name: string, bytes: Uint8Array | string): Promise<void>
  /** Writes an object as `write` does unless there is one already; whether it is now this one. */
  create(name: string, bytes: Uint8Array | string): Promise<boolean>
  /**
   * Writes an object from chunks, as `write` does: nothing becomes visible unless all of them arrive.
   *
   * @param check looks at the finished file, by its local path, before it becomes visible; where it throws, it never does
   */
  writeStream(
    name: string,
    chunks: AsyncIterable<Uint8Array>,
    check?: (path: string) => Promise<void>,
  ): Promise<void>
  /** Names of the objects below a folder, sorted. Files that are still being written are not objects. */
  list(prefix: string): Promise<string[]>
  /** Names of the folders at the top, sorted. Throws a UserError where there is no such folder. */
  folders(): Promise<string[]>
  remove(name: string): Promise<void>
  /** Removes what a program that was killed while it wrote this object has left of it. */
  sweep(name: string): Promise<void>
}

/**
 * Opens the storage behind a URL: a plain path is a folder of this machine, `s3://bucket/prefix` a part of a bucket.
 * Throws a UserError for a scheme that it does not know.
 */
export function openStorage(url: string): Storage {
  if (isS3(url)) return openS3Storage(url)
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]
  if (scheme)
    throw new UserError(
      `Cannot open ${url}: datasets lie in local paths or in s3:// (also MinIO, R2 and GCS, by their endpoints), not in ${scheme}://.`,
    )
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
