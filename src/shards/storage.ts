import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { UserError } from '../user-error.js'
import { asidePath, asideSuffix, writeFileAtomic } from '../write-file-atomic.js'

/** Where the objects of a dataset lie. Names are paths with forward slashes below the dataset. */
export interface Storage {
  /** As the user gave it. */
  readonly url: string
  /** The local file of an object. */
  path(name: string): string
  exists(name: string): Promise<boolean>
  /** The bytes of an object, or undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>
  /** Writes an object so that it is there whole or not at all. */
  write(name: string, bytes: Uint8Array | string): Promise<void>
  /** Writes an object from chunks; nothing becomes visible unless all of them arrive. */
  writeStream(name: string, chunks: AsyncIterable<Uint8Array>): Promise<void>
  /** Names of the objects below a folder, sorted. Files that are still being written are not objects. */
  list(prefix: string): Promise<string[]>
  remove(name: string): Promise<void>
}

/**
 * Opens the storage behind a URL; a plain path is a folder of this machine.
 * Throws a UserError for a scheme that it does not know.
 */
export function openStorage(url: string): Storage {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]
  if (scheme)
    throw new UserError(`Cannot open ${url}: datasets are read from local paths, not from ${scheme}://.`)
  const root = resolve(url)
  const path = (name: string) => join(root, name)
  return {
    url,
    path,
    exists: (name) =>
      access(path(name)).then(
        () => true,
        () => false,
      ),
    read: (name) => readFile(path(name)).catch(absent),
    write: (name, bytes) => writeFileAtomic(path(name), bytes),
    async writeStream(name, chunks) {
      const aside = asidePath(path(name))
      await mkdir(dirname(aside), { recursive: true })
      try {
        const file = await open(aside, 'w')
        try {
          for await (const chunk of chunks) await file.write(chunk)
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(aside, path(name))
      } catch (error) {
        await rm(aside, { force: true })
        throw error
      }
    },
    async list(prefix) {
      const entries = await readdir(path(prefix), { recursive: true, withFileTypes: true }).catch(absent)
      return (entries ?? [])
        .filter((entry) => entry.isFile() && !entry.name.endsWith(asideSuffix))
        .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
        .sort()
    },
    remove: (name) => rm(path(name), { force: true }),
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined
  throw error
}
