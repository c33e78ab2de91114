import { UserError } from '../base/user-error.js'
import type { Mark } from '../formats/mark.js'
import type { Card } from './config.js'
import type { OpenSource } from './open-source.js'

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
 *
 * @param sourceHash the source's own, where it is known already
 */
export async function planIngest(
  source: OpenSource,
  signal?: AbortSignal,
  sourceHash?: string,
): Promise<IngestPlan> {
  const { config, card } = source
  const shards: { shard: string; mark: Mark; rows: number }[] = []
  let rows = 0
  for await (const marks of source.plan()) {
    signal?.throwIfAborted()
    for (const mark of marks) {
      if (rows === config.limit) break
      if (rows % config.shard_size === 0) {
        shards.push({ shard: String(shards.length).padStart(5, '0'), mark, rows: 0 })
      }
      const shard = shards.at(-1)
      if (shard) shard.rows++
      rows++
    }
    if (rows === config.limit) break
  }
  if (rows === 0) {
    const { path, instances, captions }: Readonly<Partial<Record<string, unknown>>> = config
    throw new UserError(`${path ?? instances ?? captions} has no rows to ingest.`)
  }
  return { card, rows, sourceHash: sourceHash ?? (await source.hash()), shards }
}
