import { explainError } from '../../base/explain-error.js'
import { mapLimited } from '../../base/map-limited.js'
import type { OpenStage, StageWatch } from '../stages/stage-kind.js'
import { addSums, noSums, type ShardSums, sumsOfRecord } from './shard-sums.js'
import { endsStage } from './task-error.js'
import { withRetries } from './with-retries.js'

export interface ShardRun {
  readonly signal?: AbortSignal
  readonly watch?: StageWatch
  /** Rows done of all. */
  readonly onProgress?: (done: number, total: number) => void
  readonly onStart?: (shard: string) => void
  readonly onShardProgress?: (shard: string, done: number, total: number) => void
  readonly onEnd?: (shard: string, end: (ShardSums & { readonly skipped: boolean }) | Error) => void
  /** Whether a shard that keeps failing ends the work with its error, in place of being set aside. */
  readonly stopAtFailure?: boolean
}

/** What became of the shards of a stage. */
export interface ShardOutcome {
  readonly sums: ShardSums
  /** Shards made now, and those that an earlier run had made. */
  readonly ran: number
  readonly skipped: number
  /** Shards set aside, with their errors. */
  readonly failed: readonly { readonly shard: string; readonly error: string }[]
}

/**
 * Makes shards of an open stage one after another. One that keeps failing is set aside, and the rest goes on;
 * not where `endsStage` says that the others would fail as well.
 */
export async function runShards(
  stage: OpenStage,
  shards: readonly string[],
  { signal, watch, onProgress, stopAtFailure, ...on }: ShardRun,
): Promise<ShardOutcome> {
  const rows = await mapLimited(shards, async (shard) => (await stage.rows(shard)) ?? 0)
  const total = rows.reduce((sum, count) => sum + count, 0)
  const failed: { shard: string; error: string }[] = []
  let sums = noSums
  let ran = 0
  let skipped = 0
  let before = 0
  for (const [index, shard] of shards.entries()) {
    signal?.throwIfAborted()
    const start = before
    const options = {
      signal,
      onProgress: (count: number) => {
        onProgress?.(start + count, total)
        on.onShardProgress?.(shard, count, rows[index] ?? 0)
      },
    }
    on.onStart?.(shard)
    try {
      const result = await withRetries(() => stage.make(shard, options), signal)
      const own = sumsOfRecord(result.record)
      sums = addSums(sums, own)
      watch?.add(result.tried ?? { ...result.record, skipped: result.skipped })
      if (result.skipped) skipped++
      else ran++
      on.onEnd?.(shard, { ...own, skipped: result.skipped })
    } catch (error) {
      signal?.throwIfAborted()
      if (stopAtFailure || endsStage(error)) throw error
      const explained = explainError(error)
      failed.push({ shard, error: explained.message })
      on.onEnd?.(shard, explained)
    }
    before += rows[index] ?? 0
    onProgress?.(before, total)
    watch?.check()
  }
  return { sums, ran, skipped, failed }
}
