import { families, recordPath } from '../rows/family-path.js'
import { openStorage } from '../storage/open-storage.js'
import { type CommitRecord, readRecord } from './commit.js'
import type { ShardPlace } from './shard-place.js'

/**
 * The place of a stage in the order in which those of a dataset came to be: a logical clock (Lamport, "Time, Clocks,
 * and the Ordering of Events", 1978), which counts on from the stages that there are, so that what was made of something,
 * or after it, comes later whatever the clocks of the machines say. A stage that is made again of the same
 * configuration keeps its place.
 *
 * @param place of the shard that is made; its records of other stages are read
 * @returns 1 or more
 */
export async function stageOrder(place: ShardPlace, configHash: string): Promise<number> {
  let last = 0
  for (const record of await recordsOf(place)) {
    const { stage, order = 0 } = record
    if (stage === place.stage && record.configHash === configHash && order > 0) return order
    if (stage !== place.stage) last = Math.max(last, order)
  }
  return last + 1
}

/** For sorting: what older versions made, without an order, comes first, by its time. */
export function byOrder(
  a: Pick<CommitRecord, 'order' | 'createdAt'>,
  b: Pick<CommitRecord, 'order' | 'createdAt'>,
): number {
  if (a.order !== b.order) return (a.order ?? 0) - (b.order ?? 0)
  return a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0
}

/** The records of a shard, of all stages. Images are the first of all stages, and have no order. */
async function recordsOf({ storage, shard }: ShardPlace): Promise<CommitRecord[]> {
  const records: CommitRecord[] = []
  for (const family of families) {
    if (family === 'images' || family === 'rejects') continue
    // There is no such folder yet.
    const stages = await openStorage(storage.path(family))
      .folders()
      .catch(() => [])
    for (const stage of stages) {
      const record = await readRecord(storage, recordPath(family, stage, shard)).catch(() => undefined)
      if (record) records.push(record)
    }
  }
  return records
}
