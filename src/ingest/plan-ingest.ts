import { UserError } from '../base/user-error.js'
import type { Mark } from './read/source-row.js'
import type { Card, IngestConfig } from './sources/config.js'
import { hashSource, readSource, withCard } from './sources/read-source.js'

export interface ShardPlan {
  /** "00000" and so on. */
  readonly shard: string
  /** Where the shard's first row is. */
  readonly mark: Mark
  readonly rows: number
}

/** Plain JSON: it can be stored and read back. */
export interface IngestPlan {
  readonly card: Card | null
  readonly rows: number
  readonly sourceHash: string
  readonly shards: readonly ShardPlan[]
}

/**
 * Reads the source once and says which rows make which shard. Memory grows by a mark a shard, not by rows.
 * Throws a UserError where there is no such source, it lacks a column, or it has no rows.
 */
export async function planIngest(given: IngestConfig, signal?: AbortSignal): Promise<IngestPlan> {
  const { config, card } = await withCard(given)
  const shards: { shard: string; mark: Mark; rows: number }[] = []
  let rows = 0
  for await (const { mark } of readSource(config, undefined, true)) {
    signal?.throwIfAborted()
    if (rows % config.shard_size === 0) {
      shards.push({ shard: String(shards.length).padStart(5, '0'), mark, rows: 0 })
    }
    shards[shards.length - 1].rows++
    rows++
    if (rows === config.limit) break
  }
  if (rows === 0) {
    throw new UserError(`${config.path ?? config.instances ?? config.captions} has no rows to ingest.`)
  }
  return { card, rows, sourceHash: await hashSource(config), shards }
}
