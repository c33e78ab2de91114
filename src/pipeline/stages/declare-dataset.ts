import { hashJson } from '../../base/hash.js'
import { families, shardObject } from '../../rows/family-path.js'
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
    const objects = (await storage.list(family)).filter((name) => {
      const { shard } = shardObject(name) ?? {}
      return shard !== undefined && !kept.has(shard)
    })
    // Records first, so that none is without its file.
    for (const kind of ['record', 'file'])
      for (const name of objects) if (shardObject(name)?.kind === kind) await storage.remove(name)
  }
  await replaceDataset(storage, info)
}
