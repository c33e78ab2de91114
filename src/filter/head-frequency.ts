import { readCommit } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import { tallyOf } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'

/**
 * Phrases of a dataset by head noun: the sums of what the chunk stage tallied, or counted anew where it did
 * not, as of gold of older versions, or where a shard had so many heads that its tally was cut. Shards that
 * are not there count nothing.
 */
export async function headFrequency(
  storage: Storage,
  phrases: string,
  shards: readonly string[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const add = (head: string, by: number) => {
    counts.set(head, (counts.get(head) ?? 0) + by)
  }
  for (const shard of shards) {
    const record = await readCommit(storage, 'phrases', phrases, shard)
    if (!record) continue
    const heads = tallyOf(record.stats, 'heads')
    // Of a cut tally the rare words, which matter most here, would be missing.
    if (heads && !heads.tail) for (const [head, count] of Object.entries(heads.words)) add(head, count)
    else
      for await (const row of readShard(storage, 'phrases', phrases, shard))
        for (const { head } of row.phrases) add(head, 1)
  }
  return counts
}
