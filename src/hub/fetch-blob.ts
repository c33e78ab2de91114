import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DiskFullError } from '../base/disk-full.js'
import { makeFolder } from '../base/files/make-folder.js'
import { absent } from '../base/files/sync-folder.js'
import { acquireLock, LockedError } from '../storage/lock.js'
import { openStorage } from '../storage/open-storage.js'
import { hubText } from './hub-address.js'
import { blobName, type HubFile, type HubRepo, refuseFolder, repoFolder, tagCache } from './hub-cache.js'
import { HubUnreachable, unreachable } from './hub-error.js'
import { askHub, pauseBefore } from './hub-request.js'
import type { HubSettings } from './hub-settings.js'
import { fetchWatch } from './watch-fetches.js'

/** Answers that broke off one after another without a byte. */
const tries = 5

/**
 * Fetches the bytes of a file into the cache's blobs, if they are not there: on from where an earlier try ended, and
 * held against the hash by which the Hub knows them before they get their name. One process fetches, others wait for it;
 * what is half there is under a name of this program's own, as Python's is, so that two never write into one file.
 *
 * @throws UserError or HubUnreachable as `askHub` does, DiskFullError where there is no room, and Error where the bytes
 *   are not those that the Hub has listed
 */
export async function fetchBlob(
  settings: HubSettings,
  repo: HubRepo,
  file: HubFile,
  signal?: AbortSignal,
): Promise<void> {
  const folder = repoFolder(settings, repo)
  const blob = join(folder, 'blobs', blobName(file))
  const isThere = async () => (await stat(blob).catch(absent))?.size === file.size
  if (await isThere()) return
  await makeFolder(dirname(blob))
  await tagCache(settings)
  const locks = join(settings.cache, '.locks', relative(settings.cache, folder))
  await makeFolder(locks)
  const watched = fetchWatch().signal
  const signals = [signal, watched].filter((one) => one !== undefined)
  const what = `fetching ${hubText({ ...repo, path: file.path })}`
  // A large file takes longer than others wait for a lock: it is waited for as long as who has it lives.
  const lock = await waitForLock(locks, `${blobName(file)}.groundmill.lock`, what, signals)
  try {
    if (!(await isThere()))
      await fetchInto(blob, { settings, repo, file, signal: AbortSignal.any([...signals, lock.signal]) })
  } finally {
    await lock.release()
  }
}

async function waitForLock(folder: string, name: string, what: string, signals: readonly AbortSignal[]) {
  const storage = openStorage(folder)
  for (let round = 0; ; round++) {
    try {
      return await acquireLock(storage, name, { what, wait: false })
    } catch (error) {
      if (!(error instanceof LockedError)) throw error
      for (const signal of signals) signal.throwIfAborted()
      if (round === 0) fetchWatch().onNotice?.(`another process is ${what}`)
      await delay(200)
    }
  }
}

interface Fetch {
  readonly settings: HubSettings
  readonly repo: HubRepo
  readonly file: HubFile
  readonly signal: AbortSignal
}

async function fetchInto(blob: string, fetch: Fetch): Promise<void> {
  const { repo, file, signal } = fetch
  const part = `${blob}.groundmill.incomplete`
  const address = hubText({ ...repo, path: file.path })
  for (const path of [blob, part]) await refuseFolder(path)
  const resumed = (await stat(part).catch(absent))?.size ?? 0
  await requireRoom(dirname(blob), file.size - resumed, address, fetch.settings)
  for (let isAgain = false; ; isAgain = true) {
    const before = isAgain ? 0 : resumed
    await fetchPart(part, address, fetch)
    const found = await hashOf(part, file, signal)
    if (found === blobName(file)) break
    await rm(part, { force: true })
    // Bytes of an earlier try may have been damaged since; those of one try were damaged on the way.
    if (before > 0) continue
    throw new Error(
      `${address}: what came is not what the Hub has listed (its ${file.sha256 ? 'SHA-256' : 'git hash'} is ${found}, not ${blobName(file)}): it was thrown away. Run the same command again; if it stays so, something on the way changes it (a proxy, HF_ENDPOINT).`,
    )
  }
  await rename(part, blob)
  fetchWatch().onEnd?.({ file: address, done: file.size, total: file.size })
}

/** Where the Hub gives a file, or leads on to where it lies. */
export function resolveUrl({ endpoint }: HubSettings, { type, id, commit }: HubRepo, file: HubFile): string {
  const path = file.path.split('/').map(encodeURIComponent).join('/')
  return `${endpoint}/${type === 'dataset' ? 'datasets/' : ''}${id}/resolve/${commit}/${path}`
}

/** Fetches until the part is as long as the file. */
async function fetchPart(part: string, address: string, { settings, repo, file, signal }: Fetch) {
  const url = resolveUrl(settings, repo, file)
  const place = { ...repo, revision: repo.commit, path: file.path }
  const tell = (done: number) => fetchWatch().onProgress?.({ file: address, done, total: file.size })
  const handle = await open(part, 'a')
  try {
    let { size: done } = await handle.stat()
    if (done > file.size) done = await emptied(handle)
    tell(done)
    for (let fruitless = 0; done < file.size; ) {
      const before = done
      const headers: Record<string, string> = done > 0 ? { range: `bytes=${done}-` } : {}
      const response = await askHub(url, {}, { place, settings, signal, headers, answers: [416] })
      // It did not take the range, or has another file: from the start.
      if (done > 0 && response.status !== 206) done = await emptied(handle)
      if (response.status === 416) {
        await response.body?.cancel()
        if (++fruitless === tries)
          throw unreachable(new Error('it refuses a range of the file'), place, settings)
        continue
      }
      try {
        for await (const chunk of response.body ?? []) {
          const bytes = chunk as Uint8Array
          // More than there should be is not what was listed.
          if (done + bytes.length > file.size) throw new Longer()
          await handle.appendFile(bytes)
          done += bytes.length
          tell(done)
        }
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof Longer) {
          await emptied(handle)
          throw new Error(
            `${address}: what came is longer than the Hub has listed (${file.size} bytes): it was thrown away. Run the same command again.`,
          )
        }
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error
        fruitless = done > before ? 0 : fruitless + 1
        if (fruitless === tries) throw unreachable(error, place, settings)
        await delay(pauseBefore(fruitless), undefined, { signal })
        continue
      }
      if (done === before && ++fruitless === tries)
        throw new HubUnreachable(
          `${address}: ${settings.endpoint} sends ${done === 0 ? 'nothing' : `${done} of its ${file.size} bytes, and no more`}. Run the same command again later; if it stays so, something on the way changes it (a proxy, HF_ENDPOINT).`,
        )
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

class Longer extends Error {}

async function emptied(handle: FileHandle): Promise<0> {
  await handle.truncate(0)
  return 0
}

/** Whether a file of the cache has the bytes that the Hub has listed. */
export const hasItsBytes = async (path: string, file: HubFile): Promise<boolean> =>
  (await hashOf(path, file)) === blobName(file)

const hashOf = (path: string, file: HubFile, signal?: AbortSignal): Promise<string> =>
  hubHash(createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) }), file)

/**
 * What the Hub knows bytes by that are as many as those of a file: SHA-256 of a large one, else the id that git has for
 * its content (a blob's SHA-1).
 */
export async function hubHash(
  parts: AsyncIterable<Buffer> | Iterable<Buffer>,
  { size, sha256 }: HubFile,
): Promise<string> {
  const hash = sha256 === undefined ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256')
  for await (const part of parts) hash.update(part)
  return hash.digest('hex')
}

async function requireRoom(folder: string, needed: number, address: string, { cache }: HubSettings) {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (needed <= free) return
  const mb = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`
  throw new DiskFullError(
    `${address} needs ${mb(needed)} more, and ${mb(free)} are free where the cache lies (${cache}): make room, or lay the cache elsewhere with HF_HOME.`,
  )
}
