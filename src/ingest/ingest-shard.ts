import { orderedMap } from '../base/ordered-map.js'
import type { ImageRow } from '../rows/rows.js'
import type { WriteFamily } from '../shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { createFetcher, type Fetcher } from './fetch/fetch-image.js'
import { type Ingested, ingestRow } from './ingest-row.js'
import type { OpenSource } from './open-source.js'
import type { ShardPlan } from './plan-ingest.js'
import type { SourceRow } from './read/source-row.js'
import { shardSums } from './shard-sums.js'

/**
 * Fetches or reads the pictures of one shard and writes `images`; where the source has boxes, `phrases`,
 * `grounding` and `negatives` beside it. Rows keep the order of the source whatever the order of arrival; a key is the
 * shard's number and the row's place in it, so a rejected row leaves a gap.
 *
 * @param source which stays open: its reader goes on with the next shard
 * @param shared the fetcher of all shards, which knows their hosts; without it the shard has its own
 */
export async function ingestShard(
  task: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  shared?: Fetcher,
): Promise<ShardResult> {
  return runShardTask(task, 'images', async (write): Promise<ShardOutput> => {
    const fetcher = shared ?? createFetcher(source.config.fetch)
    try {
      return await ingestRows(task, source, plan, fetcher, write)
    } finally {
      if (!shared) await fetcher.close()
    }
  })
}

async function ingestRows(
  task: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  fetcher: Fetcher,
  write: WriteFamily,
): Promise<ShardOutput> {
  const { signal, onProgress } = task
  const sums = shardSums(source.hasBoxes)
  async function* images(): AsyncGenerator<ImageRow> {
    for await (const result of ingested(task, source, plan, fetcher)) {
      signal?.throwIfAborted()
      sums.add(result)
      onProgress?.(sums.done)
      if (result.kind === 'row') yield result.image
    }
  }
  const imageFile = await write('images', images())
  const rejectFile = await write('rejects', sums.rejects)
  const files = { images: imageFile, rejects: rejectFile }
  const counts = {
    unit: 'pairs',
    in: sums.done,
    out: sums.out,
    rejected: sums.rejected,
    stats: sums.stats(),
  }
  // By the configuration, not by the rows: a shard whose pictures all failed is gold as well.
  if (!source.hasBoxes) return { files, ...counts }
  const phraseFile = await write('phrases', sums.phrases)
  const groundingFile = await write('grounding', sums.grounding)
  const negativeFile = await write('negatives', sums.negatives)
  const gold = { phrases: phraseFile, grounding: groundingFile, negatives: negativeFile }
  return { files: { ...files, ...gold }, ...counts }
}

/** Requests that wait for a slow host must not keep those for others from being sent. */
const rowsPerRequest = 4

/**
 * What the rows of a shard became, in their order.
 *
 * @param wanted the rows' places in the shard; all by default
 */
export function ingested(
  { shard, signal }: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  fetcher: Fetcher,
  wanted?: ReadonlySet<number>,
): AsyncGenerator<Ingested> {
  const { config } = source
  return orderedMap(
    numbered(source.rows(plan.mark), plan.rows, wanted),
    rowsPerRequest * config.fetch.concurrency,
    ([row, index]) => ingestRow(row, keyOf(shard, index), config, fetcher, signal),
    2 * rowsPerRequest * config.fetch.concurrency,
  )
}

const keyOf = (shard: string, index: number) => `${shard}${String(index).padStart(4, '0')}`

/** The place in its shard of the row with a key. */
export const indexOfKey = (shard: string, key: string): number => Number(key.slice(shard.length))

async function* numbered(
  rows: AsyncGenerator<SourceRow>,
  count: number,
  wanted?: ReadonlySet<number>,
): AsyncGenerator<readonly [SourceRow, number]> {
  let index = 0
  for await (const row of rows) {
    if (!wanted || wanted.has(index)) yield [row, index]
    index++
    if (index === count) return
  }
}
