import pLimit from 'p-limit'
import { LruCache } from '../base/lru-cache.js'
import { UserError } from '../base/user-error.js'
import { hashObject } from '../storage/hash-object.js'
import { openObject } from '../storage/open-storage.js'
import type { Storage } from '../storage/storage.js'
import type { ShardFile } from './write-shard.js'

/** Files that are remembered as whole; a name takes some hundred bytes. */
const mostKnown = 50_000
/** Files that are hashed at once: a part of each is in memory. */
const atOnce = 2

const whole = new LruCache<string, true>({ maxSize: mostKnown })
const limit = pLimit(atOnce)

/** What of a shard's file is held against its record. */
export type ExpectedFile = Pick<ShardFile, 'path' | 'bytes' | 'sha256'>

/**
 * Holds a shard's file against its record: size and SHA-256 of all its bytes, once a process and file; after that it
 * is taken for what it was. One part of a file is in memory at a time.
 *
 * `GROUNDMILL_VERIFY=size` leaves the hash out: for who asks a few columns of what is large or far away.
 *
 * @throws UserError where it is missing, or is not the file that the record speaks of
 */
export async function verifyFile(storage: Storage, file: ExpectedFile): Promise<void> {
  const path = storage.path(file.path)
  await whole.load(`${path} ${file.bytes} ${file.sha256}`, () => limit(() => verified(storage, path, file)))
}

async function verified(storage: Storage, path: string, { bytes, sha256 }: ExpectedFile): Promise<true> {
  const object = await openObject(path)
  try {
    if (object.size !== bytes) throw damagedShard(storage, path, sizeDiffers(object.size, bytes))
    if (!areHashed()) return true
    const hash = await hashObject(object).catch((error: Error) => {
      throw damagedShard(storage, path, error.message)
    })
    if (hash === sha256) return true
    throw damagedShard(storage, path, `its SHA-256 is ${hash}, its record says ${sha256}`)
  } finally {
    await object.close()
  }
}

export const sizeDiffers = (size: number, expected: number): string =>
  `it has ${size} bytes, its record says ${expected}`

/** The error for a shard's file that is there and is not what its record says, or cannot be made sense of. */
export const damagedShard = (storage: Pick<Storage, 'url'>, path: string, what: string): UserError =>
  new UserError(
    `${path} is damaged or cut short (${what}). \`groundmill check --deep --mend ${storage.url}\` keeps the pictures in it that are whole, and the next run makes the rest anew.`,
  )

function areHashed(): boolean {
  const how = process.env.GROUNDMILL_VERIFY || 'hash'
  if (how !== 'hash' && how !== 'size')
    throw new UserError(
      `GROUNDMILL_VERIFY is "${how}": \`hash\` holds shards against their SHA-256 when they are first read, \`size\` against their sizes alone.`,
    )
  return how === 'hash'
}
