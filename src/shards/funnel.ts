import { type CommitRecord, readRecord } from './commit.js'
import { families } from './family-path.js'
import type { Family } from './rows.js'
import { addCounts, type ShardStats, sumStats } from './stats.js'
import type { Storage } from './storage.js'

/** One stage's part of the funnel: the sums of its shards' records. */
export interface FunnelStage {
  readonly stage: string
  readonly family: Family
  readonly unit: string
  readonly in: number
  readonly out: number
  readonly rejected: Readonly<Record<string, number>>
  readonly shards: number
  readonly bytes: number
  readonly seconds: number
  /** When its first shard was made. */
  readonly createdAt: string
  readonly stats: ShardStats
}

/**
 * What went in and came out of every stage of a dataset, in the order of the data's way through it, and of stages of
 * one family in the order in which they first ran.
 *
 * @throws UserError where a record is malformed or its counts do not add up
 */
export async function datasetFunnel(storage: Storage): Promise<FunnelStage[]> {
  const funnel: FunnelStage[] = []
  for (const family of families) {
    const stages = new Map<string, CommitRecord[]>()
    for (const name of await storage.list(family)) {
      if (!name.endsWith('.json')) continue
      const record = await readRecord(storage, name)
      // Families written beside the main one would count the same rows again.
      if (!record || record.main !== family) continue
      const records = stages.get(record.stage)
      if (records) records.push(record)
      else stages.set(record.stage, [record])
    }
    const sums = [...stages.values()].map(sumOf)
    funnel.push(...sums.sort((a, b) => compare(a.createdAt, b.createdAt) || compare(a.stage, b.stage)))
  }
  return funnel
}

function sumOf(records: readonly CommitRecord[]): FunnelStage {
  const [{ stage, family, unit }] = records
  const sum = (value: (record: CommitRecord) => number) =>
    records.reduce((total, record) => total + value(record), 0)
  return {
    stage,
    family,
    unit,
    in: sum((record) => record.in),
    out: sum((record) => record.out),
    rejected: records.reduce<Record<string, number>>((all, { rejected }) => addCounts(all, rejected), {}),
    shards: records.length,
    bytes: sum(({ files }) => Object.values(files).reduce((total, file) => total + file.bytes, 0)),
    // Records have whole milliseconds; their sum in floating point does not.
    seconds: Math.round(1000 * sum(({ seconds }) => seconds)) / 1000,
    createdAt: records.map(({ createdAt }) => createdAt).sort()[0],
    stats: sumStats(records.map(({ stats }) => stats)),
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
