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

/** Shards that are under way at once, all but one of them waiting for others: each has rows in memory. */
const mostAtOnce = 4

/**
 * Makes shards of an open stage in their order, one after another; where what is left of one only waits for others
 * (`onWaiting`), the next is begun beside it. One that keeps failing is set aside, and the rest goes on; not where
 * `endsStage` says that the others would fail as well: then those that are under way are ended, too.
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
  const done = rows.map(() => 0)
  let allDone = 0
  const setDone = (index: number, count: number) => {
    allDone += count - (done[index] ?? 0)
    done[index] = count
    onProgress?.(allDone, total)
  }
  const ending = new AbortController()
  const all = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal

  async function make(shard: string, index: number, onWaiting: () => void): Promise<void> {
    const options = {
      signal: all,
      onWaiting,
      onProgress: (count: number) => {
        setDone(index, count)
        on.onShardProgress?.(shard, count, rows[index] ?? 0)
      },
    }
    on.onStart?.(shard)
    try {
      const result = await withRetries(() => stage.make(shard, options), all)
      const own = sumsOfRecord(result.record)
      sums = addSums(sums, own)
      watch?.add(result.tried ?? { ...result.record, skipped: result.skipped })
      if (result.skipped) skipped++
      else ran++
      on.onEnd?.(shard, { ...own, skipped: result.skipped })
    } catch (error) {
      all.throwIfAborted()
      if (stopAtFailure || endsStage(error)) throw error
      const explained = explainError(error)
      failed.push({ shard, error: explained.message })
      on.onEnd?.(shard, explained)
    }
    setDone(index, rows[index] ?? 0)
    watch?.check()
  }

  const underWay = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  let begun = 0
  for (const [index, shard] of shards.entries()) {
    if (all.aborted) break
    begun++
    const { promise: waits, resolve: onWaiting } = withResolvers()
    const own: Promise<void> = make(shard, index, onWaiting)
      .catch((error: unknown) => {
        failure ??= { error }
        ending.abort(error)
      })
      .finally(() => underWay.delete(own))
    underWay.add(own)
    await Promise.race([waits, own])
    while (underWay.size >= mostAtOnce) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  if (failure) throw failure.error
  if (begun < shards.length) signal?.throwIfAborted()
  return { sums, ran, skipped, failed }
}

function withResolvers() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
