import { readsAtOnce } from '../base/map-limited.js'
import { orderedMap } from '../base/ordered-map.js'
import { families } from '../rows/family-path.js'
import type { Family } from '../rows/rows.js'
import { type CommitRecord, readRecord } from '../shards/commit.js'
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
 * of one family in the order in which they came to be (`stageOrder`).
 *
 * @throws UserError where a record is malformed or its counts do not add up
 */
export async function datasetFunnel(storage: Storage): Promise<FunnelStage[]> {
  const funnel: FunnelStage[] = []
  for (const family of families) {
    const stages = new Map<string, StageSum>()
    const names = (await storage.list(family)).filter((name) => name.endsWith('.json'))
    const read = (name: string) => readRecord(storage, name)
    for await (const record of orderedMap(names, readsAtOnce, read, readsAtOnce)) {
      // A record stands once in each family that its task wrote; counted is the one in its main family.
      if (!record || record.main !== family) continue
      const sum = stages.get(record.stage) ?? stageSum(record)
      stages.set(record.stage, sum)
      sum.add(record)
    }
    const sums = [...stages.values()].map(({ result }) => result())
    funnel.push(...sums.sort((a, b) => byOrder(a, b) || (a.stage < b.stage ? -1 : 1)))
  }
  return funnel
}

/** Adds up the records of one stage's shards. */
export interface StageSum {
  add(record: CommitRecord): void
  result(): FunnelStage
}

const joinedIn = ({ tallies }: ShardStats) => tallies.joined?.pairs ?? 0

/** Adds records up as they are read: those of a large dataset are not all held in memory. */
export function stageSum({ stage, family, unit }: CommitRecord): StageSum {
  const stats = statsSum()
  const sums = { in: 0, out: 0, shards: 0, bytes: 0, seconds: 0 }
  let rejected: Record<string, number> = {}
  let relabelled: Record<string, number> = {}
  let recorded: Record<string, number> = {}
  let order = Number.POSITIVE_INFINITY
  let createdAt: string | undefined
  return {
    add(record) {
      sums.in += record.in
      sums.out += record.out
      sums.shards++
      for (const { bytes } of Object.values(record.files)) sums.bytes += bytes
      sums.seconds += record.seconds
      rejected = addCounts(rejected, record.rejected)
      relabelled = addCounts(relabelled, record.relabelled ?? {})
      const names = [...Object.keys(record.stats.histograms), ...Object.keys(record.stats.tallies)]
      recorded = addCounts(recorded, Object.fromEntries(names.map((name) => [name, 1])))
      order = Math.min(order, record.order ?? 0)
      if (createdAt === undefined || record.createdAt < createdAt) createdAt = record.createdAt
      stats.add(record.stats)
    },
    result: () => ({
      stage,
      family,
      unit: joinedIn(stats.result()) > 0 ? 'pictures' : unit,
      joined: joinedIn(stats.result()),
      rejected,
      relabelled,
      recorded,
      ...sums,
      // Records have whole milliseconds; their sum in floating point does not.
      seconds: Math.round(1000 * sums.seconds) / 1000,
      order,
      createdAt: createdAt as string,
      stats: stats.result(),
    }),
  }
}
