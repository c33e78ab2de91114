import { stat } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { absent } from '../base/files/sync-folder.js'
import { hashBytes } from '../base/hash.js'
import { mapLimited } from '../base/map-limited.js'
import type { Storage } from '../storage/storage.js'

/**
 * The folder of a dataset for what was made of its files and can be made of them again: it may be deleted at any
 * time.
 */
export const cacheFolder = 'cache'

/**
 * Tells files of this machine from any others that have or had their names, without reading them. A file that was
 * written aside and renamed is another inode than the one whose place it took, so that of two written within one
 * tick of the clock neither is taken for the other; nor is a copy taken for its original.
 *
 * @returns of each file, in their order; undefined where there is none
 */
export const identitiesOf = (storage: Storage, names: readonly string[]): Promise<(string | undefined)[]> =>
  mapLimited(names, async (name) => {
    const found = await stat(storage.path(name)).catch(absent)
    return found && [name, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(' ')
  })

/** A short key for all that something was made of: of equal lists alone it is the same. */
export const keyOf = (madeOf: readonly string[]): string => hashBytes(madeOf.join('\n'))

/** The key, a line's end, four bytes of the content's CRC-32, the content. */
const headBytes = 64 + 1 + 4

/**
 * What was kept under a name; undefined where there is nothing, where it was made of something else than `key` says,
 * and where it is damaged.
 */
export async function readKept(storage: Storage, name: string, key: string): Promise<Buffer | undefined> {
  // Whatever lies there and cannot be read is made anew.
  const found = await storage.read(`${cacheFolder}/${name}`).catch(() => undefined)
  if (!found || found.length < headBytes) return undefined
  const bytes = Buffer.from(found.buffer, found.byteOffset, found.length)
  const content = bytes.subarray(headBytes)
  const isWhole = bytes.readUInt32LE(headBytes - 4) === crc32(content)
  return isWhole && bytes.toString('latin1', 0, headBytes - 4) === `${key}\n` ? content : undefined
}

/**
 * Keeps what was made, in place of what was kept under that name. Of several writers the last one stays. Where it
 * cannot be written, as in a dataset that may only be read, it is not kept.
 *
 * @param name of a file in the folder of the cache
 * @param key of all that it was made of (`keyOf`), the version of what makes it too
 */
export async function keep(storage: Storage, name: string, key: string, content: Uint8Array): Promise<void> {
  const head = Buffer.alloc(headBytes)
  head.write(`${key}\n`, 'latin1')
  head.writeUInt32LE(crc32(content), headBytes - 4)
  await storage.write(`${cacheFolder}/${name}`, Buffer.concat([head, content])).catch(() => {})
}
