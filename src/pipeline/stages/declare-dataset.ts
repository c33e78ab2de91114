import { hashJson } from '../../base/hash.js'
import { UserError } from '../../base/user-error.js'
import { families, shardObject } from '../../rows/family-path.js'
import { createDataset, readDataset, replaceDataset } from '../../shards/dataset.js'
import type { Storage } from '../../storage/storage.js'

/**
 * Writes dataset.json once; where the plan has changed, shards that are no longer in it go.
 *
 * @param others says who else works on the run with another pipeline, if anybody does
 * @throws UserError where shards would go that another one may be at work on
 */
export async function declareDataset(
  storage: Storage,
  name: string,
  card: object | null,
  shards: readonly string[],
  others: () => Promise<string | undefined> = async () => undefined,
): Promise<void> {
  const info = { name, card: card as Record<string, unknown> | null, shards: [...shards] }
  for (;;) {
    // Of two runs that begin at once, one writes it; the other finds the same, or is the later plan.
    if (await createDataset(storage, info)) return
    const found = await readDataset(storage)
    const { schemaVersion: _, ...known } = found
    if (hashJson(known) === hashJson(info)) return
    const who = await others()
    if (who !== undefined)
      throw new UserError(
        `${storage.url}: the source of "${name}" gives other shards than before, and ${who} works on this run by another pipeline. Wait for its end, or end it.`,
      )
    if (!(await replaceDataset(storage, found, info))) continue
    await removeShards(storage, new Set(shards))
    return
  }
}

/** Removes all shards of all stages but those that are kept. */
async function removeShards(storage: Storage, kept: ReadonlySet<string>) {
  for (const family of families) {
    const objects = (await storage.list(family)).filter((name) => {
      const { shard } = shardObject(name) ?? {}
      return shard !== undefined && !kept.has(shard)
    })
    // Records first, so that none is without its file.
    for (const kind of ['record', 'file'])
      for (const name of objects) if (shardObject(name)?.kind === kind) await storage.remove(name)
  }
}
