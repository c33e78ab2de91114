import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path/posix'
import { setTimeout as delay } from 'node:timers/promises'
import { type ProcessIdentity, processState, thisProcess } from '../base/process-identity.js'
import { UserError } from '../base/user-error.js'
import type { Storage } from './storage.js'

/** How often an owner shows that it lives, in milliseconds. */
const beatEvery = 15_000
/** After how long without that an owner on another machine is taken for dead. */
const deadAfter = 120_000
/** An owner that could not show it for so long works on no more: another may have taken its lock over. */
const lostAfter = 100_000
const waitAtMost = 300_000

/** What a lock's object holds. */
interface Owner extends ProcessIdentity {
  /** No two locks have the same. */
  readonly token: string
  /** What is done under it. */
  readonly what: string
  readonly since: string
  /** How often it was renewed. */
  readonly beat: number
}

export interface LockOptions {
  /** What is done under the lock, for those who find it taken: "exporting to coco". */
  readonly what: string
  /** Whether to wait, at most 5 minutes, for an owner that lives. */
  readonly wait: boolean
  /** Ends the waiting. */
  readonly signal?: AbortSignal
}

export interface Lock {
  /** Aborted with an error where the lock was lost: the owner must change nothing any more. */
  readonly signal: AbortSignal
  /** Gives the lock up, if it is still one's own. May be called more than once. */
  release(): Promise<void>
}

/** Another process works where two may not. */
export class LockedError extends UserError {
  constructor(
    where: string,
    readonly owner: Pick<Owner, 'host' | 'pid' | 'since' | 'what'> | undefined,
  ) {
    super(
      owner
        ? `${where} is taken: process ${owner.pid} on ${owner.host} is ${owner.what} there since ${owner.since}. Wait for its end, or end it.`
        : `${where} is taken: it cannot be read by whom. Wait two minutes, or delete it if nothing else runs.`,
    )
  }
}

/**
 * Takes a lock that lies in the storage under `name`. It is made of create-if-absent and compare-and-swap alone,
 * so it works in a bucket as in a folder. The owner renews it every 15 s. A lock is taken over, by a swap that
 * only one of several can make, as soon as its owner's process is gone, where that was one of this machine; else
 * when it was not renewed for 2 minutes by the store's own clock. An owner of this machine that is stopped is
 * never taken for dead.
 *
 * A lock alone cannot hold back an owner that slept through its end and wakes: what is done under it should end
 * in a swap, or look at `signal`.
 *
 * @throws LockedError where another one works, at once or after having waited
 */
export async function acquireLock(storage: Storage, name: string, options: LockOptions): Promise<Lock> {
  const owner: Owner = {
    ...thisProcess,
    token: randomBytes(8).toString('hex'),
    what: options.what,
    since: new Date().toISOString(),
    beat: 0,
  }
  const start = performance.now()
  for (let attempt = 0; ; attempt++) {
    options.signal?.throwIfAborted()
    const found = await takeOrFind(storage, name, owner)
    if (found === 'taken') return heldLock(storage, name, owner)
    if (found === 'changed') continue
    if (!options.wait || performance.now() - start > waitAtMost)
      throw new LockedError(storage.path(name), found.owner)
    const pause = Math.min(storage.isLocal ? 100 : 1000, 5 * 2 ** attempt)
    await delay(pause * (0.5 + Math.random()), undefined, { signal: options.signal })
  }
}

/** Works under a lock that is waited for, and gives it up however the work ends. Throws as `acquireLock` does. */
export async function withLock<T>(
  storage: Storage,
  name: string,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lock = await acquireLock(storage, name, { what, wait: true })
  try {
    return await work(lock.signal)
  } finally {
    await lock.release()
  }
}

/** Takes a lock that is free or whose owner is dead, or says whose it is. */
async function takeOrFind(
  storage: Storage,
  name: string,
  owner: Owner,
): Promise<'taken' | 'changed' | { readonly owner: Owner | undefined }> {
  const text = textOf(owner)
  if (await storage.create(name, text)) return 'taken'
  const found = await storage.readVersioned(name)
  if (!found) return 'changed'
  const other = parseOwner(found.bytes)
  if (!(await isDeadLock(storage, name, other))) return { owner: other }
  if (!(await storage.swap(name, text, found.version))) return 'changed'
  // What the dead had half written, the lock among it.
  await storage.sweep(dirname(name))
  return 'taken'
}

/**
 * Removes a lock whose owner died as it gave it up, where nobody needs it any more: its work is done. One of who lives
 * stays.
 *
 * @returns whether there was such a lock
 */
export async function removeDeadLock(storage: Storage, name: string): Promise<boolean> {
  const bytes = await storage.read(name)
  if (!bytes || !(await isDeadLock(storage, name, parseOwner(bytes)))) return false
  try {
    const lock = await acquireLock(storage, name, { what: 'cleaning up', wait: false })
    await lock.release()
    return true
  } catch (error) {
    if (error instanceof LockedError) return false
    throw error
  }
}

/** Whether a lock's owner is gone, so far as it can be known. An owner that cannot be read is one elsewhere. */
export async function isDeadLock(storage: Storage, name: string, owner: Owner | undefined): Promise<boolean> {
  const state = owner ? await processState(owner) : 'elsewhere'
  return state === 'elsewhere' ? ((await storage.age(name)) ?? 0) > deadAfter : state === 'gone'
}

/** Keeps a lock that was taken, by renewing it until it is given up or lost. */
function heldLock(storage: Storage, name: string, owner: Owner): Lock {
  const lost = new AbortController()
  let beat = 0
  let lastBeat = performance.now()
  let renewing: Promise<boolean> = Promise.resolve(true)
  let releasing: Promise<void> | undefined

  /** Whether the lock is still this one's, which it then is for two minutes more. */
  async function renew(): Promise<boolean> {
    const began = performance.now()
    const found = await storage.readVersioned(name)
    const isOwn = found !== undefined && parseOwner(found.bytes)?.token === owner.token
    if (!isOwn || !(await storage.swap(name, textOf({ ...owner, beat: ++beat }), found.version))) return false
    lastBeat = began
    return true
  }

  const timer = setInterval(() => {
    renewing = renewing.then(async (isOwn) => {
      if (!isOwn || releasing) return isOwn
      // A store that cannot be reached for a while is tried again.
      const isRenewed = await renew().catch(() => performance.now() - lastBeat < lostAfter)
      if (!isRenewed)
        lost.abort(
          new Error(`${storage.path(name)} was lost while ${owner.what}: another process took it over.`),
        )
      return isRenewed
    })
  }, beatEvery)
  timer.unref()

  return {
    signal: lost.signal,
    release() {
      releasing ??= (async () => {
        clearInterval(timer)
        // One that was renewed within the last minute nobody takes over before it is removed.
        const isOwn = (await renewing) && (performance.now() - lastBeat < deadAfter / 2 || (await renew()))
        if (isOwn) await storage.remove(name)
      })()
      return releasing
    },
  }
}

const textOf = (owner: Owner) => `${JSON.stringify(owner)}\n`

/** What is shown of an owner to who finds its lock. */
const isOneLine = /^\P{Cc}{0,400}$/u

/** Who has a lock; undefined where its object is not one's. */
export function parseOwner(bytes: Uint8Array): Owner | undefined {
  try {
    const owner = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<Owner> | null
    const { host, pid, started, token, what, since, beat } = owner ?? {}
    const isOwner =
      [host, started, token, what, since].every((text) => typeof text === 'string' && isOneLine.test(text)) &&
      Number.isSafeInteger(pid) &&
      typeof beat === 'number'
    return isOwner ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}
