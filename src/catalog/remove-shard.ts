import { UserError } from '../base/user-error.js'
import { families, recordPath } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, isPointer, parseStored } from '../shards/commit.js'
import { isNamed, unnamed, withShardLock } from '../shards/commit-shard.js'
import type { ShardPlace } from '../shards/shard-place.js'
import { LockedError } from '../storage/lock.js'
import type { Version } from '../storage/storage.js'

export const shardRemoved = 'record and files removed: the next run makes the shard anew'

/** What work under a shard's lock gives; the other value where a process that lives keeps the lock. */
export async function unlessLocked<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof LockedError) return otherwise
    throw error
  }
}

/**
 * Removes a shard's record, and then what it named, so that the next run makes the shard anew; under the lock that
 * commits take.
 *
 * @param main family whose record it is
 * @param version of the record; where it is another by now, nothing is removed
 */
export async function removeShard(place: ShardPlace, main: Family, version: Version): Promise<boolean> {
  const { storage, stage, shard } = place
  const name = recordPath(main, stage, shard)
  return withShardLock(place, main, async (held) => {
    if ((await storage.readVersioned(name))?.version !== version || held.mayBeLost()) return false
    await storage.remove(name)
    const own = families.filter((family) => family === main || family !== 'images')
    for (const left of await unnamed(place, undefined, own)) {
      if (held.mayBeLost()) break
      if (!(await isOfAnother(place, main, left))) await storage.remove(left)
    }
    return true
  })
}

/**
 * Removes objects of a shard that no record names, under the locks of all families whose tasks could be about to
 * name them.
 *
 * @param mains those families
 * @returns what is gone
 */
export async function removeLeftOver(
  place: ShardPlace,
  mains: readonly Family[],
  names: readonly string[],
): Promise<string[]> {
  const [main, ...others] = mains
  if (main !== undefined)
    return withShardLock(place, main, async (held) =>
      held.mayBeLost() ? [] : removeLeftOver(place, others, names),
    )
  const gone: string[] = []
  for (const name of names) {
    if (await isNamedByAny(place, name)) continue
    await place.storage.remove(name)
    gone.push(name)
  }
  return gone
}

/** Whether a record of the shard names an object, whichever family's it is. */
export async function isNamedByAny(place: ShardPlace, name: string): Promise<boolean> {
  return namedBy(place, families, name)
}

/** Whether another record than that of `main` names an object. */
const isOfAnother = (place: ShardPlace, main: Family, name: string) =>
  namedBy(
    place,
    families.filter((family) => family !== main),
    name,
  )

async function namedBy(
  { storage, stage, shard }: ShardPlace,
  among: readonly Family[],
  name: string,
): Promise<boolean> {
  for (const family of among) {
    if (family === 'rejects') continue
    const path = recordPath(family, stage, shard)
    const bytes = await storage.read(path)
    if (!bytes) continue
    try {
      const stored = parseStored(bytes, storage.path(path))
      if (isPointer(stored)) continue
      const record: CommitRecord = stored
      if (record.stage === stage && isNamed(record, name)) return true
    } catch (error) {
      // Of a record that cannot be read nobody knows what it names, but itself.
      if (!(error instanceof UserError)) throw error
      if (path !== name) return true
    }
  }
  return false
}
