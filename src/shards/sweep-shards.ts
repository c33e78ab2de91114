import { UserError } from '../base/user-error.js'
import { families, familyFolder, shardObject } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'
import { lockedShard, readMain, removeUnnamed, unnamed, withShardLock } from './commit-shard.js'
import { recordOfPart, sweepParts } from './row-parts.js'

/** What there is of a shard in one family. */
interface Found {
  files: number
  records: number
}

/**
 * Removes what a stage's writers that died have left: files that no record names, pointers to records that are
 * not there, and what was never put in place. Only shards that look as if they had such are looked into, so
 * that after a run that nobody disturbed this costs a few listings.
 *
 * @param main family of the stage: the one that its tasks are for
 * @returns names of the objects that are gone
 */
export async function sweepShards(storage: Storage, main: Family, stage: string): Promise<string[]> {
  const own = familiesOf(main)
  const found = new Map<Family, Map<string, Found>>()
  const suspects = new Set<string>()
  const removed: string[] = []
  for (const family of own) {
    const shards = new Map<string, Found>()
    found.set(family, shards)
    const folder = familyFolder(family, stage)
    await storage.sweep(folder)
    const names = await storage.list(folder)
    if (names.some(recordOfPart)) removed.push(...(await sweepParts(storage, folder)))
    for (const name of names) {
      // Who died in a commit leaves its lock, which goes when it is taken over and given up.
      const locked = lockedShard(name)
      if (locked !== undefined && family === main) suspects.add(locked)
      const { shard, kind } = shardObject(name) ?? {}
      if (shard === undefined) continue
      const counts = shards.get(shard) ?? { files: 0, records: 0 }
      shards.set(shard, counts)
      if (kind === 'file') counts.files++
      else counts.records++
    }
  }
  for (const [family, shards] of found)
    for (const [shard, { files, records }] of shards) {
      const hasMain = found.get(main)?.get(shard)?.records === 1
      if (!hasMain || files !== 1 || (records !== 1 && family !== 'rejects')) suspects.add(shard)
    }
  for (const shard of [...suspects].sort()) {
    try {
      removed.push(...(await sweepShard(storage, main, stage, shard)))
    } catch (error) {
      // Of a record that cannot be read nobody knows what it names; whoever holds the lock will clean up.
      if (!(error instanceof UserError)) throw error
    }
  }
  return removed
}

/**
 * Removes what of one shard no record names. While another commits this shard it waits, and what is removed
 * before a commit that needs it is put in place again by that.
 *
 * @returns names of the objects that are gone
 */
export function sweepShard(storage: Storage, main: Family, stage: string, shard: string): Promise<string[]> {
  const place = { storage, stage, shard }
  return withShardLock(place, main, async (held) => {
    const now = await readMain(place, main)
    const names = await unnamed(place, now?.record, familiesOf(main))
    await removeUnnamed(place, main, names, held)
    return names
  })
}

/** Families that tasks of a main family may write. Images are ingest's alone, and lie in no stage's folder. */
const familiesOf = (main: Family) => families.filter((family) => family === main || family !== 'images')
