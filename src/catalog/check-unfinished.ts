import { basename } from 'node:path/posix'
import { isLeftOver } from '../base/files/sweep-aside.js'
import { asideOwner, asideSuffix } from '../base/files/write-file-atomic.js'
import { processState } from '../base/process-identity.js'
import { recordPath } from '../rows/family-path.js'
import { isPartDone, recordOfPart } from '../shards/row-parts.js'
import { isDeadLock, parseOwner, removeDeadLock } from '../storage/lock.js'
import type { Storage, StoredFile } from '../storage/storage.js'
import type { Finding } from './finding.js'

/**
 * What is to be said of a file that is being written, or of a lock; undefined where it is neither of them.
 *
 * @param mend removes it where its process is gone, and where nobody can tell and it is old
 * @param known shards of the dataset; undefined where nobody knows, or it is none of a dataset
 */
export async function checkUnfinished(
  storage: Storage,
  file: StoredFile,
  mend: boolean,
  known?: ReadonlySet<string>,
): Promise<Finding | undefined> {
  if (file.name.endsWith(asideSuffix)) return checkAside(storage, file, mend)
  if (recordOfPart(file.name)) return checkPart(storage, file, mend, known)
  return file.name.endsWith('.lock') ? checkLock(storage, file.name, mend) : undefined
}

/** Rows that were kept of work that was stopped. */
async function checkPart(
  storage: Storage,
  file: StoredFile,
  mend: boolean,
  known: ReadonlySet<string> | undefined,
): Promise<Finding> {
  const { name, size, modified } = file
  const shard = basename(recordOfPart(name)?.record ?? '', '.json')
  // Pictures that are there may be listed yet.
  const isOfNone = known && !known.has(shard) && !(await storage.exists(recordPath('images', null, shard)))
  const age = `(${size} bytes, ${ageText(Date.now() - modified)} old)`
  if (!isOfNone && !(await isPartDone(storage, file))) {
    const what = `rows of what is being made, or was stopped and goes on from them when it is run again ${age}`
    return { kind: 'busy', name, what }
  }
  const of = isOfNone ? `shard ${shard}, which the dataset has not` : 'what is made by now'
  const what = `rows that were kept of ${of} ${age}`
  if (!mend) return { kind: 'left over', name, what }
  await storage.remove(name)
  return { kind: 'left over', name, what, mended: 'removed' }
}

async function checkAside(
  storage: Storage,
  { name, size, modified }: StoredFile,
  mend: boolean,
): Promise<Finding> {
  const owner = asideOwner(name)
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'a process of an older version, or a lock'
  const state = owner ? await processState(owner) : 'elsewhere'
  const lives = { alive: 'which lives', gone: 'which is gone', elsewhere: 'of which nothing is known here' }
  const what = `half written (${size} bytes) ${ageText(Date.now() - modified)} ago by ${who}, ${lives[state]}`
  if (!(await isLeftOver(name, modified))) return { kind: 'busy', name, what }
  if (!mend) return { kind: 'left over', name, what }
  await storage.remove(name)
  return { kind: 'left over', name, what, mended: 'removed' }
}

async function checkLock(storage: Storage, name: string, mend: boolean): Promise<Finding | undefined> {
  const bytes = await storage.read(name)
  // It was given up meanwhile.
  if (!bytes) return undefined
  const owner = parseOwner(bytes)
  const what = owner
    ? `process ${owner.pid} on ${owner.host} is ${owner.what} since ${owner.since}`
    : 'a lock that cannot be read'
  if (!(await isDeadLock(storage, name, owner))) return { kind: 'busy', name, what }
  const gone = owner
    ? `the lock of process ${owner.pid} on ${owner.host}, which is gone (${owner.what})`
    : what
  if (!mend) return { kind: 'left over', name, what: gone }
  const isGone = (await removeDeadLock(storage, name)) || !(await storage.read(name))
  return isGone ? { kind: 'left over', name, what: gone, mended: 'removed' } : { kind: 'busy', name, what }
}

/** A span of time in words. */
export function ageText(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000)
  if (minutes < 120) return `${Math.max(0, minutes)} min`
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 60 / 24)} days`
}
