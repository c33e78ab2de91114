import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { hashJson } from '../base/hash.js'
import { UserError } from '../base/user-error.js'
import { rowKey } from '../rows/row-key.js'
import type { ImageRow } from '../rows/rows.js'
import { amendConfig } from '../shards/amend-shard.js'
import { type CommitRecord, readCommit } from '../shards/commit.js'
import { unknownConfig } from '../shards/restore-record.js'
import type { WriteFamily } from '../shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardResult, type ShardTask } from '../shards/shard-task.js'
import { byteBudget } from './byte-budget.js'
import type { SourceConfig } from './config.js'
import { userAgentOf } from './fetch/fetch-config.js'
import { createFetcher, type Fetcher } from './fetch/fetch-image.js'
import { Reject } from './fetch/reject.js'
import { isTransientReason } from './fetch/transient.js'
import { trainingUses } from './fetch/usage-preferences.js'
import { type Ingested, ingestRow } from './ingest-row.js'
import { mapInOrder, type Room } from './map-in-order.js'
import { hubPathOf, type OpenSource } from './open-source.js'
import type { ShardPlan } from './plan-ingest.js'
import { isLocal, type SourceRow } from './read/source-row.js'
import { shardSums } from './shard-sums.js'
import { openStoredRows, type StoredRows } from './stored-rows.js'

/** Of rows of the Hub: where from, with the commit. */
const hubSource = (config: SourceConfig) => {
  const source = hubPathOf(config)
  return source === undefined ? {} : { source }
}

/** What becomes of a shard that is there, and of its rows, when its source has changed. */
export interface ReplaceOptions {
  /** Whether it may be replaced by one with fewer pictures. */
  readonly drop?: boolean
  /** For what reasons rows that were rejected are fetched again; for those that may have passed by default. */
  readonly isRetried?: (reason: string) => boolean
  /** Further hashes of the configuration by which older versions knew it. */
  readonly olderHashes?: readonly string[]
  /** Told that the shard stays as it was. */
  readonly warn?: (message: string) => void
  /** Told when few rows are left, which wait for slow servers: another shard can be made beside them. */
  readonly onTail?: (() => void) | undefined
}

/**
 * Fetches or reads the pictures of one shard and writes `images`; where the source has boxes, `phrases`,
 * `grounding` and `negatives` beside it. Rows keep the order of the source whatever the order of arrival; a key is the
 * shard's number and the row's place in it, so a rejected row leaves a gap.
 *
 * Of a shard that is there the rows that are the same are kept, and the others are crawled. It is replaced when the
 * new one is whole, and stays where that has fewer pictures.
 *
 * @param source which stays open: its reader goes on with the next shard
 * @param shared the fetcher of all shards, which knows their hosts; without it the shard has its own
 */
export async function ingestShard(
  task: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  shared?: Fetcher,
  options: ReplaceOptions = {},
): Promise<ShardResult> {
  const mayReplace = (made: CommitRecord, own: CommitRecord) => options.drop || own.out >= made.out
  const result = await runShardTask(
    { ...task, mayReplace },
    'images',
    async (write): Promise<ShardOutput> => {
      const fetcher = shared ?? createFetcher(source.config.fetch)
      const stored = await storedRows(task, source, options)
      try {
        return await ingestRows(task, source, plan, fetcher, write, stored, options.onTail)
      } finally {
        await stored?.close()
        if (!shared) await fetcher.close()
      }
    },
  )
  if (!result.tried) return result
  options.warn?.(keptShard(result.record, result.tried))
  return { ...result, record: await markKept(task, result.record) }
}

/**
 * Has the record of a shard that stays though it is of another configuration say for which: who waits for all shards
 * of that one waits for this no longer.
 */
async function markKept(task: ShardTask, made: CommitRecord): Promise<CommitRecord> {
  const { configHash, inputs } = made
  if (configHash === task.configHash || made.config?.kept_for === task.configHash) return made
  const known = { ...task, configHash, inputs }
  const mark = (config: CommitRecord['config']) => ({ ...config, kept_for: task.configHash })
  return (await amendConfig(known, 'images', mark)) ?? made
}

function keptShard({ shard, stage, out }: CommitRecord, { out: fewer, rejected }: CommitRecord): string {
  const reasons = Object.entries(rejected).map(([reason, count]) => `${reason} ${count}`)
  return `shard ${shard} of "${stage}" stays as it was, with ${out} pictures: its source has changed, and only ${fewer} came of it now (${reasons.join(', ')}). Run again when they can be had, or with --drop to replace it.`
}

/** The rows of the shard as it is there, where it was made of pictures as this configuration asks for them. */
async function storedRows(
  { storage, stage, shard, configHash }: ShardTask,
  { config, hasBoxes }: OpenSource,
  { isRetried = isTransientReason, olderHashes = [] }: ReplaceOptions,
): Promise<StoredRows | undefined> {
  try {
    const made = await readCommit(storage, 'images', null, shard)
    const isSameImage = made?.config?.image === imageHash(config)
    const isKnown = isSameImage || (made && [configHash, ...olderHashes].includes(made.configHash))
    if (made?.stage !== stage || !(isKnown || made.configHash === unknownConfig)) return undefined
    return await openStoredRows({ storage, stage, shard }, made, config, hasBoxes, isRetried)
  } catch (error) {
    // A shard that is damaged has nothing to give.
    if (error instanceof UserError) return undefined
    throw error
  }
}

/** Who asked for the pictures, and whose wishes were honoured: what a card of the dataset says of its crawl. */
const crawlerOf = ({ fetch }: SourceConfig) => {
  const { robots, opt_out, content_usage = trainingUses, license = 'refuse', tdm } = fetch
  return { user_agent: userAgentOf(fetch), robots, opt_out, content_usage, license, tdm }
}

/** Of what decides how a picture is stored. */
const imageHash = ({ image }: SourceConfig) => hashJson(image)

/** A signal for rows that are made while others are written: what can no longer be written need not be asked for. */
export function untilFailure(signal: AbortSignal | undefined): {
  readonly signal: AbortSignal
  readonly onFailure: () => void
} {
  const failing = new AbortController()
  return {
    signal: signal ? AbortSignal.any([signal, failing.signal]) : failing.signal,
    onFailure: () => failing.abort(new Error('what came in cannot be written')),
  }
}

async function ingestRows(
  task: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  fetcher: Fetcher,
  write: WriteFamily,
  stored: StoredRows | undefined,
  onTail: (() => void) | undefined,
): Promise<ShardOutput> {
  const { onProgress } = task
  const sums = shardSums(source.hasBoxes)
  let fetched = 0
  const counting: Fetcher = {
    dns: fetcher.dns,
    health: fetcher.health,
    close: () => fetcher.close(),
    fetch: (...asked) => {
      fetched++
      return fetcher.fetch(...asked)
    },
  }
  const { signal, onFailure } = untilFailure(task.signal)
  async function* images(): AsyncGenerator<ImageRow> {
    for await (const result of ingested({ ...task, signal }, source, plan, counting, { stored, onTail })) {
      signal.throwIfAborted()
      sums.add(result)
      onProgress?.(sums.done)
      if (result.kind === 'row') yield result.image
    }
  }
  const imageFile = await write('images', images(), onFailure)
  const rejectFile = await write('rejects', sums.rejects)
  const files = { images: imageFile, rejects: rejectFile }
  // Pictures that are kept were crawled by whoever crawled them before.
  const crawler = fetched > 0 ? crawlerOf(source.config) : stored?.crawler
  const counts = {
    unit: 'pairs',
    in: sums.done,
    out: sums.out,
    rejected: sums.rejected,
    stats: sums.stats(),
    config: {
      image: imageHash(source.config),
      ...hubSource(source.config),
      ...(crawler !== undefined && { crawler }),
    },
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
const rowsAhead = 16_384
/** Of pictures that the source holds or that lie on the disk none is slower than another: fewer rows do. */
const localWeight = 64
const localAtOnce = 128
/** What pictures may take that wait for those before them, those of all shards that this process makes at once. */
const ahead = byteBudget(128_000_000)

/** Share of a shard's rows that its tail is at most. */
const tailShare = 0.25

/** Which rows of a shard are made, and what is there of them. */
export interface IngestedOptions {
  /** The rows' places in the shard; all by default. */
  readonly wanted?: ReadonlySet<number>
  readonly stored?: StoredRows | undefined
  /** The places of rows that failed before, when they were asked for. */
  readonly failed?: ReadonlySet<number>
  /** Told when few rows are left (`tailShare`), which are all under way: they wait for slow servers. */
  readonly onTail?: (() => void) | undefined
}

/** Until when a row that failed before is asked for again, for each of them, and for all. */
const [spreadMs, mostSpreadMs] = [10, 1000]

/**
 * What the rows of a shard became, in their order. Rows are fetched in any order, each when its host lets it.
 * Where the crawl is in trouble (`CrawlHealth`) the rest of the rows is not tried, which is a reject that may
 * pass: so what came in until then is kept.
 *
 * Rows that failed before are judged apart, shard by shard, and asked for in a random order: a host that
 * fails for these would not be asked for the others, time after time, nor for those of them that come last.
 */
export async function* ingested(
  { shard, signal }: ShardTask,
  source: OpenSource,
  plan: ShardPlan,
  fetcher: Fetcher,
  { wanted, stored, failed, onTail }: IngestedOptions = {},
): AsyncGenerator<Ingested> {
  const { config } = source
  const { health } = fetcher
  if (health?.trouble) health.reset()
  const ending = new AbortController()
  setMaxListeners(0, ending.signal)
  const end = () => ending.abort(signal?.reason)
  signal?.addEventListener('abort', end, { once: true })
  const local = pLimit(localAtOnce)
  const again: Pick<Fetcher, 'fetch'> = {
    fetch: async (url, abort, room) => {
      await delay(Math.random() * Math.min(mostSpreadMs, spreadMs * (failed?.size ?? 0)), undefined, {
        signal: ending.signal,
      })
      return fetcher.fetch(url, abort, room, shard)
    },
  }
  let left = 0
  let isAllUnderWay = false
  const lookForTail = () => {
    if (isAllUnderWay && left <= tailShare * plan.rows) onTail?.()
  }
  const onLast = () => {
    isAllUnderWay = true
    lookForTail()
  }
  const inRoom = <T>(room: Room, read: () => Promise<T>): Promise<T> =>
    local(async () => {
      await room.wait(ending.signal)
      return read()
    })
  const judge = ({ place }: SourceRow, made: Ingested) => {
    if (!health || health.trouble) return
    health.add(made.kind === 'reject' ? made.reject.reason : undefined)
    const { trouble } = health
    if (trouble) ending.abort(new Reject('not_tried', `${place} was not tried: ${trouble}`))
  }
  // One function, whose steps would each take memory of their own: thousands of rows wait in it for their hosts.
  const work = async ([row, index]: Numbered, room: Room): Promise<Ingested> => {
    const key = rowKey(shard, index)
    const from = failed?.has(index) ? again : fetcher
    const ingest = () => ingestRow(row, key, config, from, ending.signal, room)
    left++
    try {
      let made: Ingested | undefined
      if (isLocal(row)) made = await inRoom(room, ingest)
      else if (stored?.has(row)) made = await inRoom(room, () => stored.find(row, key))
      if (made?.kind === 'row') room.take(made.image.image.bytes.length)
      if (!made) {
        made = await ingest()
        judge(row, made)
      }
      return row.pairs > 1 ? { ...made, pairs: row.pairs } : made
    } finally {
      left--
      lookForTail()
    }
  }
  try {
    signal?.throwIfAborted()
    yield* mapInOrder(
      numbered(source.rows(plan.mark), plan.rows, wanted, onLast),
      { window: rowsAhead, weightOf: ([row]) => (isLocal(row) ? localWeight : 1), budget: ahead },
      work,
    )
  } finally {
    signal?.removeEventListener('abort', end)
    // Who reads no further needs nothing of what is under way.
    ending.abort(new Error('the shard was left'))
  }
}

/** The place in its shard of the row with a key. */
export const indexOfKey = (shard: string, key: string): number => Number(key.slice(shard.length))

type Numbered = readonly [row: SourceRow, index: number]

async function* numbered(
  rows: AsyncGenerator<SourceRow>,
  count: number,
  wanted?: ReadonlySet<number>,
  onLast?: () => void,
): AsyncGenerator<Numbered> {
  let index = 0
  for await (const row of rows) {
    if (!wanted || wanted.has(index)) yield [row, index]
    index++
    if (index === count) break
  }
  onLast?.()
}
