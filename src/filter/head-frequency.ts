import { orderedMap } from '../base/ordered-map.js'
import { readCommit } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import { tallyOf } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'

/** Shards that are read side by side: while one is decoded, the next ones come from the store. */
const shardsAtOnce = 4

/**
 * How many phrases of a dataset have each head noun: the sums of the chunk stage's tallies. Rows are counted
 * where a record has no tally (gold of older versions) or one that was cut, since a shard had too many heads.
 * Missing shards count nothing.
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
  const countShard = async (shard: string) => {
    const record = await readCommit(storage, 'phrases', phrases, shard)
    if (!record) return
    const heads = tallyOf(record.stats, 'heads')
    // A cut tally lacks the rare words, which matter most here.
    if (heads && !heads.tail) {
      for (const [head, count] of Object.entries(heads.words)) add(head, count)
      return
    }
    for await (const row of readShard(storage, 'phrases', phrases, shard, { columns: ['phrases'] })) {
      for (const { head } of row.phrases) add(head, 1)
    }
  }
  for await (const _ of orderedMap(shards, shardsAtOnce, countShard));
  return counts
}
