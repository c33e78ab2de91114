import type { Storage } from '../storage/storage.js'
import { readCommit } from './commit.js'
import { readShard } from './read-shard.js'

/** A dataset, or some shards of one. */
interface Pictures {
  readonly storage: Storage
  readonly shards: readonly string[]
}

/** How many pictures of a dataset are in another one as well, by the bytes that they came in, and how many it has. */
export async function sharedPictures(
  held: Pictures,
  others: Pictures,
): Promise<{ readonly shared: number; readonly of: number }> {
  const own: string[] = []
  for await (const sha256 of hashesOf(held)) own.push(sha256)
  const left = new Set(own)
  const there = new Set<string>()
  for await (const sha256 of hashesOf(others)) if (left.delete(sha256)) there.add(sha256)
  return { shared: own.filter((sha256) => there.has(sha256)).length, of: own.length }
}

async function* hashesOf({ storage, shards }: Pictures): AsyncGenerator<string> {
  for (const shard of shards) {
    if (!(await readCommit(storage, 'images', null, shard))) continue
    for await (const { sha256 } of readShard(storage, 'images', null, shard, { columns: ['sha256'] }))
      yield sha256
  }
}
