import { crc32 } from 'node:zlib'
import { readsAtOnce } from '../base/map-limited.js'
import { orderedMap } from '../base/ordered-map.js'
import { families } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, readRecord } from '../shards/commit.js'
import { identitiesOf, keep, keyOf, readKept } from '../shards/kept-file.js'
import { byOrder } from '../shards/stage-order.js'
import { addCounts, type ShardStats, statsSum } from '../statistics/stats.js'
import type { Storage } from '../storage/storage.js'

/** One stage's part of the funnel: the sums of its shards' records. */
export interface FunnelStage {
  readonly stage: string
  readonly family: Family
  readonly unit: string
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  /** Of what came out, count by the rule that gave it another label. */
  readonly relabelled: Readonly<Record<string, number>>
  /** Pairs of a source whose captions joined those of the pair before: `in` counts the picture once. */
  readonly joined: number
  readonly shards: number
  readonly bytes: number
  readonly seconds: number
  /** Its place among the stages of the dataset (`stageOrder`), the least of its shards; 0 of older versions. */
  readonly order: number
  /** When its first shard was made, by the clock of its machine. */
  readonly createdAt: string
  readonly stats: ShardStats
  /**
   * How many shards recorded each histogram and tally of `stats`: not all where an older version made some.
   */
  readonly recorded: Readonly<Record<string, number>>
}

/**
 * What went in and came out of every stage of a dataset, in the order in which data passes through it; stages
 * of one family in the order in which they came to be (`stageOrder`). Where a family has many records, in a folder of
 * this machine, sums of them are kept beside the dataset and read instead of records that are what they were.
 *
 * @throws UserError where a record is malformed or its counts do not add up
 */
export async function datasetFunnel(storage: Storage): Promise<FunnelStage[]> {
  const funnel: FunnelStage[] = []
  for (const family of families) {
    const stages = await familySums(storage, family)
    funnel.push(...stages.sort((a, b) => byOrder(a, b) || (a.stage < b.stage ? -1 : 1)))
  }
  return funnel
}

/** Raised when sums that were kept are no longer those that would be made. */
const sumsVersion = 1

/** Records that are summed together, on average. */
const blockRecords = 64

/** Records side by side, and what their sums are made of; no key where it cannot be told from a listing. */
interface Block {
  readonly names: readonly string[]
  readonly key?: string
}

/**
 * The stages of a family: sums of the sums of blocks, with or without kept ones, since sums of long tallies depend on
 * how they are grouped.
 */
async function familySums(storage: Storage, family: Family): Promise<FunnelStage[]> {
  const blocks = await blocksOf(storage, family)
  const isLarge = blocks.length > 1
  const keys = blocks.flatMap(({ key }) => key ?? [])
  const key = isLarge && keys.length === blocks.length ? keyOf(keys) : undefined
  return kept(storage, `sums/${family}.json`, key, async () => {
    const sums = stageSums()
    for (const { names, key } of blocks) {
      const make = () => recordSums(storage, family, names)
      const own = await kept(storage, `sums/${names[0]}`, isLarge ? key : undefined, make)
      for (const stage of own) sums.add(stage)
    }
    return sums.result()
  })
}

/**
 * Cuts a family's records into blocks, each behind a name whose hash says so: where a shard comes to be, other blocks
 * stay as they are.
 */
async function blocksOf(storage: Storage, family: Family): Promise<Block[]> {
  const names = (await storage.list(family)).filter((name) => name.endsWith('.json'))
  const identities = storage.isLocal ? await identitiesOf(storage, names) : []
  const blocks: Block[] = []
  let start = 0
  for (const [at, name] of names.entries()) {
    if (crc32(name) % blockRecords !== 0 && at + 1 < names.length) continue
    const own = identities.slice(start, at + 1).filter((one) => one !== undefined)
    const isKnown = own.length === at + 1 - start
    blocks.push({
      names: names.slice(start, at + 1),
      ...(isKnown && { key: keyOf([`sums ${sumsVersion}`, ...own]) }),
    })
    start = at + 1
  }
  return blocks
}

/** Sums that were kept, or made and kept; without a key they are made. */
async function kept(
  storage: Storage,
  name: string,
  key: string | undefined,
  make: () => Promise<FunnelStage[]>,
): Promise<FunnelStage[]> {
  if (key === undefined) return make()
  const found = await readKept(storage, name, key)
  if (found) return JSON.parse(found.toString('utf8'))
  const made = await make()
  await keep(storage, name, key, Buffer.from(JSON.stringify(made)))
  return made
}

async function recordSums(
  storage: Storage,
  family: Family,
  names: readonly string[],
): Promise<FunnelStage[]> {
  const sums = stageSums()
  const read = (name: string) => readRecord(storage, name)
  // A record stands once in each family that its task wrote; counted is the one in its main family.
  for await (const record of orderedMap(names, readsAtOnce, read, readsAtOnce))
    if (record?.main === family) sums.add(recordStage(record))
  return sums.result()
}

/** The sums of each stage, added up as they are read: those of a large dataset are not all held in memory. */
function stageSums() {
  const stages = new Map<string, ReturnType<typeof stageSum>>()
  return {
    add(part: FunnelStage) {
      const sum = stages.get(part.stage) ?? stageSum(part)
      stages.set(part.stage, sum)
      sum.add(part)
    },
    result: () => [...stages.values()].map(({ result }) => result()),
  }
}

const joinedIn = ({ tallies }: ShardStats) => tallies.joined?.pairs ?? 0

/** The part of its stage that one shard is. */
export function recordStage(record: CommitRecord): FunnelStage {
  const { stage, family, unit, seconds, createdAt, stats, order = 0, relabelled = {} } = record
  const recorded = [...Object.keys(stats.histograms), ...Object.keys(stats.tallies)]
  return {
    ...{ stage, family, unit, in: record.in, out: record.out, rejected: record.rejected, relabelled },
    ...{ joined: joinedIn(stats), shards: 1, seconds, order, createdAt, stats },
    bytes: Object.values(record.files).reduce((sum, { bytes }) => sum + bytes, 0),
    recorded: Object.fromEntries(recorded.map((name) => [name, 1])),
  }
}

/** Adds up parts of one stage. */
export function stageSum({ stage, family, unit }: Pick<FunnelStage, 'stage' | 'family' | 'unit'>) {
  const stats = statsSum()
  const sums = { in: 0, out: 0, joined: 0, shards: 0, bytes: 0, seconds: 0 }
  let rejected: Record<string, number> = {}
  let relabelled: Record<string, number> = {}
  let recorded: Record<string, number> = {}
  let order = Number.POSITIVE_INFINITY
  let createdAt: string | undefined
  return {
    add(part: FunnelStage) {
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += part[name]
      rejected = addCounts(rejected, part.rejected)
      relabelled = addCounts(relabelled, part.relabelled)
      recorded = addCounts(recorded, part.recorded)
      order = Math.min(order, part.order)
      if (createdAt === undefined || part.createdAt < createdAt) createdAt = part.createdAt
      stats.add(part.stats)
    },
    result: (): FunnelStage => ({
      ...{ stage, family, rejected, relabelled, recorded, order },
      unit: sums.joined > 0 ? 'pictures' : unit,
      ...sums,
      // Records have whole milliseconds; their sum in floating point does not.
      seconds: Math.round(1000 * sums.seconds) / 1000,
      createdAt: createdAt as string,
      stats: stats.result(),
    }),
  }
}
