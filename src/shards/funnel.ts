import { readRecord } from './commit.js'
import type { Family } from './rows.js'
import { addCounts, emptyStats, mergeStats, type ShardStats } from './stats.js'
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
  readonly createdAt: string
  readonly stats: ShardStats
}

const order: readonly Family[] = ['images', 'phrases', 'proposals', 'grounding']

/** What went in and came out of every stage of a dataset, in the order of the data's way through it. */
export async function datasetFunnel(storage: Storage): Promise<FunnelStage[]> {
  const stages = new Map<string, FunnelStage>()
  for (const family of order) {
    for (const name of await storage.list(family)) {
      if (!name.endsWith('.json')) continue
      const record = await readRecord(storage, name)
      // Families written beside the main one would count the same rows again.
      if (!record || record.main !== family) continue
      const key = `${family}/${record.stage}`
      const sum = stages.get(key)
      const bytes = Object.values(record.files).reduce((total, file) => total + file.bytes, 0)
      stages.set(key, {
        stage: record.stage,
        family,
        unit: record.unit,
        in: (sum?.in ?? 0) + record.in,
        out: (sum?.out ?? 0) + record.out,
        rejected: addCounts(sum?.rejected ?? {}, record.rejected),
        shards: (sum?.shards ?? 0) + 1,
        bytes: (sum?.bytes ?? 0) + bytes,
        seconds: (sum?.seconds ?? 0) + record.seconds,
        createdAt: sum && sum.createdAt < record.createdAt ? sum.createdAt : record.createdAt,
        stats: mergeStats(sum?.stats ?? emptyStats, record.stats),
      })
    }
  }
  const rank = ({ family }: FunnelStage) => order.indexOf(family)
  return [...stages.values()].sort((a, b) => rank(a) - rank(b) || (a.createdAt < b.createdAt ? -1 : 1))
}
