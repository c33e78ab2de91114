import type { ImageRow, RejectRow } from '../rows/rows.js'
import { amendShardTask } from '../shards/amend-shard.js'
import type { CommitRecord } from '../shards/commit.js'
import { readShard } from '../shards/read-shard.js'
import type { ShardOutput, ShardResult, ShardTask } from '../shards/shard-task.js'
import { amendStats } from '../statistics/stats.js'
import type { Fetcher } from './fetch/fetch-image.js'
import { isUnasked, transientCount } from './fetch/transient.js'
import type { Ingested } from './ingest-row.js'
import { indexOfKey, ingested, untilFailure } from './ingest-shard.js'
import type { OpenSource } from './open-source.js'
import type { RetriedReasons } from './parse-retried.js'
import type { ShardPlan } from './plan-ingest.js'
import { shardSums } from './shard-sums.js'

/**
 * Tries the rejected rows of a committed shard again, and inserts those that come in now in the order of
 * their keys. Undefined where the shard is not committed or was made of other inputs. Where it has no such rows
 * its source is not read. The shard's files are replaced when all rows have been tried.
 */
export function retryShard(
  task: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  fetcher: Fetcher,
  isRetried: RetriedReasons,
): Promise<ShardResult | undefined> {
  return amendShardTask(task, 'images', async (record, write) => {
    const { storage, stage, shard, onProgress } = task
    const { signal, onFailure } = untilFailure(task.signal)
    if (!Object.keys(record.rejected).some(isRetried)) return undefined
    const old: RejectRow[] = []
    for await (const row of readShard(storage, 'rejects', stage, shard)) old.push(row)
    const tried = fetcherFor(record, fetcher)
    const isWanted = ({ key, reason }: RejectRow) => key !== null && isRetried(reason)
    const retried = new Map(
      old.flatMap((row) => (isWanted(row) ? [[indexOfKey(shard, row.key as string), row] as const] : [])),
    )
    if (retried.size === 0) return undefined
    const wanted = new Set(retried.keys())
    const failed = new Set([...retried].filter(([, row]) => !isUnasked(row.reason)).map(([index]) => index))

    // Of a row that was asked for once, what came of it says more than that nobody asked for it this time.
    const asBefore = (now: Ingested & { readonly kind: 'reject' }): Ingested => {
      const index = indexOfKey(shard, now.reject.key as string)
      return failed.has(index) ? { ...now, reject: retried.get(index) as RejectRow } : now
    }
    const sums = shardSums(source.hasBoxes, false)
    async function* newImages(): AsyncGenerator<ImageRow> {
      const rows = ingested({ ...task, signal }, source, plan, tried, { wanted, failed })
      for await (const now of rows) {
        signal.throwIfAborted()
        const result = now.kind === 'reject' && isUnasked(now.reject.reason) ? asBefore(now) : now
        sums.add(result)
        onProgress?.(record.in - wanted.size + sums.done)
        if (result.kind === 'row') yield result.image
      }
    }
    const images = newImages()
    const first = await images.next()
    const imageFile = first.done
      ? undefined
      : await write(
          'images',
          mergeByKey(readShard(storage, 'images', null, shard), startingWith(first.value, images)),
          onFailure,
        )
    const rejects = byKey([...old.filter((row) => !isWanted(row)), ...sums.rejects])
    const counts = countsAfter(record, old.filter(isWanted), sums)
    const rejectFile = await write('rejects', rejects)
    if (!imageFile) return { files: { ...record.files, rejects: rejectFile }, ...counts }
    const files = { images: imageFile, rejects: rejectFile }
    if (!source.hasBoxes) return { files, ...counts }
    const phrases = mergeByKey(readShard(storage, 'phrases', stage, shard), sums.phrases)
    const grounding = mergeByKey(readShard(storage, 'grounding', stage, shard), sums.grounding)
    const phraseFile = await write('phrases', phrases)
    const groundingFile = await write('grounding', grounding)
    const gold = { ...files, phrases: phraseFile, grounding: groundingFile }
    // A shard of an older version does not say what is absent, and of its rows nobody can tell any more.
    if (!record.files.negatives) return { files: gold, ...counts }
    const negatives = mergeByKey(readShard(storage, 'negatives', stage, shard), sums.negatives)
    const negativeFile = await write('negatives', negatives)
    return { files: { ...gold, negatives: negativeFile }, ...counts }
  })
}

/**
 * Rows that failed before fail more often than others, so that they say little of the crawl: unless most rows
 * of the shard did.
 */
function fetcherFor({ in: rows, rejected }: CommitRecord, fetcher: Fetcher): Fetcher {
  return 2 * transientCount(rejected) > rows ? fetcher : { ...fetcher, health: undefined }
}

/** The shard's counts when some of its rejects became what `sums` says. */
function countsAfter(
  made: CommitRecord,
  retried: readonly RejectRow[],
  sums: ReturnType<typeof shardSums>,
): Omit<ShardOutput, 'files'> {
  const rejected: Record<string, number> = { ...made.rejected }
  for (const { reason } of retried) rejected[reason] = (rejected[reason] ?? 0) - 1
  for (const [reason, count] of Object.entries(sums.rejected))
    rejected[reason] = (rejected[reason] ?? 0) + count
  return {
    unit: made.unit,
    in: made.in,
    out: made.out + sums.out,
    rejected: Object.fromEntries(Object.entries(rejected).filter(([, count]) => count > 0)),
    stats: amendStats(made.stats, sums.stats()),
    ...(made.config && { config: made.config }),
  }
}

const byKey = (rows: readonly RejectRow[]) =>
  [...rows].sort((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1))

async function* startingWith<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

/** Rows of a shard with others between them, by their keys; both come in the order of keys. */
async function* mergeByKey<T extends { readonly key: string }>(
  rows: AsyncIterable<T>,
  others: AsyncIterable<T> | Iterable<T>,
): AsyncGenerator<T> {
  const own = rows[Symbol.asyncIterator]()
  let next = await own.next()
  try {
    for await (const other of others) {
      for (; !next.done && next.value.key < other.key; next = await own.next()) yield next.value
      yield other
    }
    for (; !next.done; next = await own.next()) yield next.value
  } finally {
    await own.return?.()
  }
}
