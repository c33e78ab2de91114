import { readCommit } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import type { Storage } from '../shards/storage.js'

/**
 * Phrases of a dataset by head noun: the sums of what the chunk stage tallied, or counted anew where it did not, as of
 * gold. Shards that are not there count nothing.
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
    const { heads } = record.stats.tallies
    if (heads) for (const [head, count] of Object.entries(heads)) add(head, count)
    else
      for await (const row of readShard(storage, 'phrases', phrases, shard))
        for (const { head } of row.phrases) add(head, 1)
  }
  return counts
}
