import { open, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../base/files/make-folder.js'
import { sweepAside } from '../base/files/sweep-aside.js'
import { absent } from '../base/files/sync-folder.js'
import { asidePath } from '../base/files/write-file-atomic.js'
import { writeChunks } from '../base/files/write-pieces.js'
import { UserError } from '../base/user-error.js'
import { locationBelow, parseS3, s3Url } from './s3-client.js'
import {
  abortUploads,
  type Head,
  headOf,
  pagesOf,
  put,
  putFile,
  putIf,
  readObject,
  readVersionedObject,
  removeObject,
} from './s3-objects.js'
import type { OpenObject, Storage } from './storage.js'

/** Of this machine: an object cannot be looked at before it is there. */
const asideFolder = join(tmpdir(), 'groundmill')

export const isS3 = (location: string) => /^s3:\/\//i.test(location)

/**
 * Objects of a bucket below a prefix. What is written in chunks is kept in a file of this machine until it is
 * whole and checked: an object cannot be looked at before it is there, and its parts can be sent again.
 */
export function openS3Storage(url: string): Storage {
  const root = parseS3(url)
  const at = (name: string) => locationBelow(root, name)
  const path = (name: string) => s3Url(at(name))
  const listKeys = async (prefix: string) => {
    const names: string[] = []
    for await (const { files } of pagesOf(root, prefix)) names.push(...files.map(({ name }) => name))
    const skip = root.key === '' ? 0 : root.key.length + 1
    return names.map((key) => key.slice(skip)).sort()
  }
  return {
    url,
    path,
    isLocal: false,
    exists: async (name) => (await headOf(at(name))) !== undefined,
    read: (name) => readObject(at(name)),
    async write(name, bytes) {
      await put(at(name), bytes)
    },
    create: (name, bytes) => putIf(at(name), bytes, undefined),
    readVersioned: (name) => readVersionedObject(at(name)),
    swap: (name, bytes, before) => putIf(at(name), bytes, before),
    age: async (name) => (await headOf(at(name)))?.age,
    async writeStream(name, chunks) {
      const aside = await writeAside(chunks)
      try {
        await putFile(at(name), aside)
      } finally {
        await rm(aside, { force: true })
      }
    },
    async writeAside(_name, chunks, onFailure) {
      const aside = await writeAside(chunks, onFailure)
      return {
        path: aside,
        async place(name) {
          await putFile(at(name), aside)
        },
        discard: () => rm(aside, { force: true }),
      }
    },
    async list(prefix) {
      const { key } = at(prefix)
      return listKeys(key === '' ? '' : `${key}/`)
    },
    listBeginning: (start) => listKeys(at(start).key),
    async *listFiles(prefix, where = 'below') {
      const { key } = at(prefix)
      const skip = root.key === '' ? 0 : root.key.length + 1
      const delimiter = where === 'inside' ? '/' : undefined
      for await (const { files } of pagesOf(root, key === '' ? '' : `${key}/`, delimiter))
        for (const file of files) yield { ...file, name: file.name.slice(skip) }
    },
    async folders() {
      const names: string[] = []
      const prefix = root.key === '' ? '' : `${root.key}/`
      for await (const { folders } of pagesOf(root, prefix, '/')) names.push(...folders)
      return names.map((key) => key.split('/').at(-2) as string).sort()
    },
    async remove(name) {
      await removeObject(at(name))
    },
    async sweep(folder) {
      for (const file of (await readdir(asideFolder).catch(absent)) ?? [])
        await sweepAside(join(asideFolder, file))
      await abortUploads(at(folder))
    },
  }
}

/** Writes a file of this machine, and gives its path. */
async function writeAside(chunks: AsyncIterable<Uint8Array>, onFailure?: () => void): Promise<string> {
  await makeFolder(asideFolder)
  const path = asidePath(join(asideFolder, 'object'))
  try {
    const file = await open(path, 'w')
    try {
      await writeChunks(file, chunks, onFailure)
    } finally {
      await file.close()
    }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
  return path
}

/** The size and the ETag of an object; undefined where there is none. */
export const findS3Object = (url: string): Promise<Pick<Head, 'size' | 'etag'> | undefined> =>
  headOf(parseS3(url))

/** An object whose parts are read as they are asked for. Throws a UserError where there is none. */
export async function openS3Object(url: string): Promise<OpenObject> {
  const location = parseS3(url)
  const head = await headOf(location)
  if (!head) throw new UserError(`Cannot read ${url}: there is no such object.`)
  return {
    size: head.size,
    async read(start, end) {
      if (start === end) return new ArrayBuffer(0)
      const bytes = await readObject(location, `bytes=${start}-${end - 1}`)
      if (bytes?.length !== end - start) throw new Error(`it ends at byte ${start + (bytes?.length ?? 0)}`)
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
    },
    close: async () => {},
  }
}
