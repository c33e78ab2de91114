import { constants, copyFile, link, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { absent } from '../base/files/sync-folder.js'
import { asideOwner, asidePath, asideSuffix, writeSynced } from '../base/files/write-file-atomic.js'
import { hashBytes } from '../base/hash.js'
import { processState } from '../base/process-identity.js'
import { ageOfFile } from './file-age.js'
import type { Version } from './storage.js'

/** Who works on another machine and has held the lock of one rename for longer is taken for dead. */
const deadAfter = 120_000
/** A process of this machine that was stopped in the middle is never taken for dead; others give up on it. */
const waitAtMost = 120_000
/** Bytes of a name of a file, which is what a lock holds. */
const longestToken = 1024

/**
 * Replaces a file if its content still is of version `before`, the SHA-256 of its bytes (undefined: if there is
 * none). Versions are contents, since times and numbers of files are what network file systems keep in caches,
 * and since nothing here must tell two files of the same bytes apart.
 *
 * No file system renames on a condition, so it is done under a lock file, `NAME.swap.aside`, made by a link,
 * which is refused where there is one. It holds the name of the owner's new file, and with it who that is. A
 * lock whose owner is dead is taken away in two steps: that new file is removed first, so that an owner who was
 * only asleep finds nothing to rename; then the lock, under a lock of the same kind.
 *
 * @returns whether it was replaced
 */
export async function swapFile(
  path: string,
  bytes: Uint8Array | string,
  before: Version | undefined,
): Promise<boolean> {
  for (;;) {
    const aside = asidePath(path)
    try {
      await writeSynced(aside, bytes)
      const done = await underLock(`${path}.swap${asideSuffix}`, aside, async () => {
        const now = await readFile(path).catch(absent)
        if ((now && hashBytes(now)) !== before) return false
        return rename(aside, path).then(() => true, absent)
      })
      // Where another machine took this process for dead and its new file away, it begins anew.
      if (done !== undefined) return done
    } finally {
      await rm(aside, { force: true })
    }
  }
}

/**
 * Works under a lock file.
 *
 * @param aside path of the file that is removed where this process is taken for dead
 */
async function underLock<T>(lock: string, aside: string, work: () => Promise<T>): Promise<T> {
  const token = aside.slice(dirname(aside).length + 1)
  const mine = asidePath(lock)
  const start = performance.now()
  try {
    await writeSynced(mine, token)
    for (let attempt = 0; !(await linked(mine, lock)); attempt++) {
      if (await removeDead(lock)) continue
      if (performance.now() - start > waitAtMost) throw new Error(await heldTooLong(lock))
      await delay(Math.min(50, 2 ** attempt) * (0.5 + Math.random()))
    }
  } finally {
    await rm(mine, { force: true })
  }
  try {
    return await work()
  } finally {
    // Unless another machine took it away.
    if ((await readFile(lock, 'utf8').catch(absent)) === token) await unlink(lock).catch(absent)
  }
}

/** Makes a lock file; whether there was none. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (!isWithoutLinks(error)) return exists(error as NodeJS.ErrnoException)
  }
  // A lock of which the content is not there yet is one of an owner that is not known.
  return copyFile(from, to, constants.COPYFILE_EXCL).then(() => true, exists)
}

/** For `catch`: false where there is a file already. */
function exists(error: NodeJS.ErrnoException): false {
  if (error.code === 'EEXIST') return false
  throw error
}

/** Whether a link was refused because the file system has none (FAT, some network shares). */
export function isWithoutLinks(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')
}

/** Takes away the lock of a dead owner; whether there may now be none. */
async function removeDead(lock: string): Promise<boolean> {
  const token = await readFile(lock, 'utf8').catch(absent)
  if (token === undefined) return true
  if (!(await isDead(lock, token))) return false
  const owner = asideOwner(token)
  if (owner) await rm(join(dirname(lock), token), { force: true })
  // Of several that find the same owner dead, none may take away the lock of the next owner.
  const claim = `${lock}.${hashBytes(token).slice(0, 8)}${asideSuffix}`
  await underLock(claim, asidePath(lock), async () => {
    if ((await readFile(lock, 'utf8').catch(absent)) === token) await unlink(lock).catch(absent)
  })
  return true
}

/**
 * Removes the lock of a dead owner that nobody may ever want again: who was killed as it gave it up had done its
 * work. What is no lock of `swapFile` stays.
 *
 * @returns whether it was one, removed or not
 */
export async function sweepSwapLock(path: string): Promise<boolean> {
  const { size = 0 } = (await stat(path).catch(absent)) ?? {}
  const token = size <= longestToken ? await readFile(path, 'utf8').catch(absent) : undefined
  if (token === undefined || !asideOwner(token)) return false
  await removeDead(path)
  return true
}

async function isDead(lock: string, token: string): Promise<boolean> {
  const owner = asideOwner(token)
  const state = owner ? await processState(owner) : 'elsewhere'
  return state === 'elsewhere' ? ((await ageOfFile(lock)) ?? 0) > deadAfter : state === 'gone'
}

async function heldTooLong(lock: string): Promise<string> {
  const owner = asideOwner((await readFile(lock, 'utf8').catch(absent)) ?? '')
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process'
  return `${lock} has been held by ${who} for two minutes: if that process is stopped, let it go on or end it.`
}
