import type { Card, IngestConfig } from './config.js'
import { hashSource, readSource, withCard } from './read-source.js'
import type { Mark } from './source-row.js'

export interface ShardPlan {
  readonly shard: string
  /** Where the shard's first row is. */
  readonly mark: Mark
  readonly rows: number
}

export interface IngestPlan {
  readonly card: Card | null
  readonly rows: number
  readonly sourceHash: string
  readonly shards: readonly ShardPlan[]
}

/** Reads the source once and says which rows make which shard. Memory grows by a mark a shard, not by rows. */
export async function planIngest(given: IngestConfig, signal?: AbortSignal): Promise<IngestPlan> {
  const { config, card } = await withCard(given)
  const shards: { shard: string; mark: Mark; rows: number }[] = []
  let rows = 0
  for await (const { mark } of readSource(config)) {
    signal?.throwIfAborted()
    if (rows % config.shard_size === 0) {
      shards.push({ shard: String(shards.length).padStart(5, '0'), mark, rows: 0 })
    }
    shards[shards.length - 1].rows++
    rows++
    if (rows === config.limit) break
  }
  return { card, rows, sourceHash: await hashSource(config), shards }
}
