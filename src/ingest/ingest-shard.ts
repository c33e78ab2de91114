import { setMaxListeners } from 'node:events'
import pLimit from 'p-limit'
import type { ImageRow } from '../rows/rows.js'
import type { WriteFamily } from '../shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { createFetcher, type Fetcher } from './fetch/fetch-image.js'
import { Reject } from './fetch/reject.js'
import { type Ingested, ingestRow } from './ingest-row.js'
import { mapInOrder, type Room } from './map-in-order.js'
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

/** Rows that are read ahead, so that those of a slow host do not hold up those of others behind them. */
const rowsAhead = 2048
/** Of pictures that the source holds or that lie on the disk none is slower than another: fewer rows do. */
const localWeight = 8
const localAtOnce = 128
/** What pictures may take that wait for those before them. */
const bytesAhead = 64_000_000

/** Which rows of a shard are made. */
export interface IngestedOptions {
  /** The rows' places in the shard; all by default. */
  readonly wanted?: ReadonlySet<number>
}

/**
 * What the rows of a shard became, in their order. Rows are fetched in any order, each when its host lets it.
 * Where the crawl is in trouble (`CrawlHealth`) the rest of the rows is not tried, which is a reject that may
 * pass: so what came in until then is kept.
 */
export async function* ingested(
  { shard, signal }: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  fetcher: Fetcher,
  { wanted }: IngestedOptions = {},
): AsyncGenerator<Ingested> {
  const { config } = source
  const { health } = fetcher
  if (health?.trouble) health.reset()
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const end = () => ending.abort(signal?.reason)
  signal?.addEventListener('abort', end, { once: true })
  const local = pLimit(localAtOnce)
  const work = async ([row, index]: Numbered, room: Room): Promise<Ingested> => {
    const ingest = () => ingestRow(row, keyOf(shard, index), config, fetcher, ending.signal, room)
    if (isLocal(row))
      return local(async () => {
        await room.wait(ending.signal)
        return ingest()
      })
    const result = await ingest()
    if (health && !health.trouble) {
      health.add(result.kind === 'reject' ? result.reject.reason : undefined)
      const { trouble } = health
      if (trouble) ending.abort(new Reject('not_tried', `${row.place} was not tried: ${trouble}`))
    }
    return result
  }
  try {
    signal?.throwIfAborted()
    yield* mapInOrder(
      numbered(source.rows(plan.mark), plan.rows, wanted),
      { window: rowsAhead, weightOf: ([row]) => (isLocal(row) ? localWeight : 1), maxBytes: bytesAhead },
      work,
    )
  } finally {
    signal?.removeEventListener('abort', end)
    // Who reads no further needs nothing of what is under way.
    ending.abort(new Error('the shard was left'))
  }
}

const isLocal = ({ load, file, problem }: SourceRow) => load !== null || file !== null || problem !== null

const keyOf = (shard: string, index: number) => `${shard}${String(index).padStart(4, '0')}`

/** The place in its shard of the row with a key. */
export const indexOfKey = (shard: string, key: string): number => Number(key.slice(shard.length))

type Numbered = readonly [row: SourceRow, index: number]

async function* numbered(
  rows: AsyncGenerator<SourceRow>,
  count: number,
  wanted?: ReadonlySet<number>,
): AsyncGenerator<Numbered> {
  let index = 0
  for await (const row of rows) {
    if (!wanted || wanted.has(index)) yield [row, index]
    index++
    if (index === count) return
  }
}
