/**
 * How long `stats` takes over the records of a large dataset: 1,000 shards of 10,000 pictures, each with
 * thousands of heads and hosts, more than a record keeps. Only records are written; no row is read. Node
 * alone, one core.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { datasetStatistics } from '../src/catalog/dataset-statistics.js'
import { datasetFunnel } from '../src/catalog/funnel.js'
import { recordPath } from '../src/rows/family-path.js'
import { createDataset } from '../src/shards/dataset.js'
import { openStorage } from '../src/storage/open-storage.js'
import { type Figure, median, option, printReport } from './report.js'
import { recorded, stageOfRecords, syntheticRecord } from './synthetic-record.js'

const shards = Number(option('shards', '1000'))
const runs = Number(option('runs', '3'))
const rows = 10_000
/** Seconds: what still feels like at once. */
const limit = 5

const recordOf = syntheticRecord(rows)

const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
try {
  const storage = openStorage(folder)
  const names = Array.from({ length: shards }, (_, at) => String(at).padStart(5, '0'))
  await createDataset(storage, { name: 'large', card: null, shards: names })
  let bytes = 0
  for (const shard of names) {
    for (const family of recorded) {
      const text = recordOf(family, shard)
      bytes += text.length
      await storage.write(recordPath(family, stageOfRecords(family), shard), text)
    }
  }
  const seconds: number[] = []
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    datasetStatistics('large', await datasetFunnel(storage), { top: 12 })
    seconds.push((performance.now() - start) / 1000)
  }
  const peak = process.resourceUsage().maxRSS / 1024
  const figures: Record<string, Figure> = {
    records: {
      value: bytes / 1e6,
      unit: 'MB',
      goal: '',
      met: null,
      note: `${4 * shards} records of ${shards * rows} pictures`,
    },
    stats: {
      value: median(seconds) / limit,
      unit: `of ${limit} s`,
      goal: '<= 1',
      met: median(seconds) <= limit,
      note: `${median(seconds).toFixed(2)} s`,
    },
    memory: {
      value: peak,
      unit: 'MiB',
      goal: '<= 500',
      met: peak <= 500,
      note: 'peak of the process, the making of the records with it',
    },
  }
  printReport('stats', runs, figures)
} finally {
  await rm(folder, { recursive: true, force: true })
}
