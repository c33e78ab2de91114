import type { Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'
import { readCommit } from './commit.js'

/**
 * Whether a stage made a shard of a family. Where it did not, `joinRows` reads the others without it:
 *
 *     const isSaid = await hasFamily(storage, 'negatives', stage, shard)
 *     joinRows(storage, shard, { images: {}, negatives: isSaid ? { stage } : undefined })
 *
 * @throws UserError as `readCommit` does
 */
export async function hasFamily(
  storage: Storage,
  family: Family,
  stage: string | null,
  shard: string,
): Promise<boolean> {
  return (await readCommit(storage, family, stage, shard)) !== undefined
}
