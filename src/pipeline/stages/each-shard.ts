import type { Family } from '../../rows/rows.js'
import { readCommit } from '../../shards/commit.js'
import type { ShardResult, ShardTask } from '../../shards/shard-task.js'
import { sweepShards } from '../../shards/sweep-shards.js'
import { addCounts } from '../../statistics/stats.js'
import type { Storage } from '../../storage/storage.js'
import type { Dataset, StageContext, StageOf } from './stage-context.js'

/** The sums of the records of a stage's shards. */
export interface ShardSums {
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  /** Of what came out, count by the rule that gave it another label. */
  readonly relabelled: Readonly<Record<string, number>>
  readonly counts: Readonly<Record<string, number>>
}

interface ShardWork {
  readonly inputs: Readonly<Record<string, string>>
  readonly work: (task: ShardTask) => Promise<ShardResult>
}

/**
 * Runs a task for each shard of a dataset that the stage before has made, and removes what writers of the stage
 * that died have left.
 *
 * @returns the sums of the shards that are there now, and the shards that are not
 */
export async function eachShard(
  stage: StageOf,
  configHash: string,
  context: StageContext,
  source: { readonly dataset: Dataset; readonly missing: readonly string[] },
  prepare: (shard: string, storage: Storage) => Promise<ShardWork>,
): Promise<{ readonly sums: ShardSums; readonly missing: readonly string[] }> {
  const { storage, shards } = source.dataset
  const missing = [...source.missing]
  const rows = new Map(
    await Promise.all(shards.map(async (shard) => [shard, await rowsOf(storage, shard)] as const)),
  )
  const total = [...rows.values()].reduce((sum, count) => sum + count, 0)
  let sums: ShardSums = { in: 0, out: 0, rejected: {}, relabelled: {}, counts: {} }
  let before = 0
  let main: Family | undefined
  for (const shard of shards) {
    if (source.missing.includes(shard)) continue
    context.signal?.throwIfAborted()
    const done = await context.attempt(shard, async () => {
      const { inputs, work } = await prepare(shard, storage)
      const start = before
      const result = await work({
        storage,
        stage: stage.name,
        shard,
        configHash,
        inputs,
        signal: context.signal,
        onProgress: (count: number) => context.progress(start + count, total),
      })
      const { record } = result
      main = record.main
      sums = {
        in: sums.in + record.in,
        out: sums.out + record.out,
        rejected: addCounts(sums.rejected, record.rejected),
        relabelled: addCounts(sums.relabelled, record.relabelled ?? {}),
        counts: addCounts(sums.counts, record.stats.counts),
      }
      return result
    })
    if (!done) missing.push(shard)
    before += rows.get(shard) ?? 0
    context.progress(before, total)
  }
  if (main) await sweepShards(storage, main, stage.name)
  return { sums, missing }
}

async function rowsOf(storage: Storage, shard: string): Promise<number> {
  return (await readCommit(storage, 'images', null, shard))?.files.images?.rows ?? 0
}
