import { hashJson } from '../../base/hash.js'
import { families } from '../../rows/family-path.js'
import { createDataset, readDataset, replaceDataset } from '../../shards/dataset.js'
import type { Storage } from '../../storage/storage.js'

/** Writes dataset.json once; where the plan has changed, shards that are no longer in it go. */
export async function declareDataset(
  storage: Storage,
  name: string,
  card: object | null,
  shards: readonly string[],
): Promise<void> {
  const info = { name, card: card as Record<string, unknown> | null, shards: [...shards] }
  // Of two runs that begin at once, one writes it; the other finds the same, or is the later plan.
  if (await createDataset(storage, info)) return
  const { schemaVersion: _, ...known } = await readDataset(storage)
  if (hashJson(known) === hashJson(info)) return
  const kept = new Set(shards)
  for (const family of families) {
    for (const object of await storage.list(family)) {
      const shard = /([^/]+)\.(json|parquet)$/.exec(object)?.[1]
      if (shard && !kept.has(shard)) await storage.remove(object)
    }
  }
  await replaceDataset(storage, info)
}
