import { LruCache } from '../base/lru-cache.js'
import type { ShardRows } from '../shards/shard-rows.js'
import type { ImageShard } from './index/layer.js'

/** Keys of pictures that are remembered, those of a shard together. */
const mostKeys = 300_000

/** The rows of pictures by their keys. */
export class PictureKeys {
  readonly #shards = new LruCache<string, ReadonlyMap<string, number>>({
    maxSize: mostKeys,
    sizeOf: (rows) => Math.max(1, rows.size),
  })

  constructor(private readonly reader: ShardRows) {}

  /** Of a shard, in its order. */
  rows({ name, rows }: ImageShard): Promise<ReadonlyMap<string, number>> {
    return this.#shards.load(name, async () => {
      const range = { start: 0, end: rows, columns: ['key'] as const }
      const read = await this.reader.read('images', null, name, range)
      return new Map(read.map(({ key }, row) => [key, row]))
    })
  }
}
