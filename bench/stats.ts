/**
 * How long `stats` takes over the records of a large dataset: 1,000 shards of 10,000 pictures, each with
 * thousands of heads and hosts, more than a record keeps. Only records are written; no row is read. The first
 * time all records are read and their sums kept; the goal is for the times after that. Node alone, one core.
 *
 *     npx tsx bench/stats.ts [--shards 10000] [--json]
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { datasetStatistics } from '../src/catalog/dataset-statistics.js'
import { datasetFunnel } from '../src/catalog/funnel.js'
import { familyFolder, recordPath } from '../src/rows/family-path.js'
import { createDataset } from '../src/shards/dataset.js'
import { openStorage } from '../src/storage/open-storage.js'
import { type Figure, median, option, printReport } from './report.js'
import { recorded, stageOfRecords, syntheticRecord } from './synthetic-record.js'

const shards = Number(option('shards', '1000'))
const runs = Number(option('runs', '3'))
const rows = 10_000
/** Seconds: what still feels like at once. */
const limit = 5

/** Records that differ in more than the shard: the others are these again. */
const differentRecords = 100

const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
try {
  const storage = openStorage(folder)
  const names = Array.from({ length: shards }, (_, at) => String(at).padStart(5, '0'))
  await createDataset(storage, { name: 'large', card: null, shards: names })
  const recordOf = syntheticRecord(rows)
  let bytes = 0
  for (const family of recorded) {
    const stage = stageOfRecords(family)
    await mkdir(storage.path(familyFolder(family, stage)), { recursive: true })
    const texts: string[] = []
    for (const [at, shard] of names.entries()) {
      const text = texts[at % differentRecords] ?? recordOf(family, 'SHARD')
      texts[at % differentRecords] = text
      bytes += text.length
      await writeFile(storage.path(recordPath(family, stage, shard)), text.replace('"SHARD"', `"${shard}"`))
    }
  }
  const measure = async () => {
    const start = performance.now()
    datasetStatistics('large', await datasetFunnel(storage), { top: 12 })
    return (performance.now() - start) / 1000
  }
  const first = await measure()
  const seconds: number[] = []
  for (let run = 0; run < runs; run++) seconds.push(await measure())
  const [shard = ''] = names
  const changed = recordPath('phrases', stageOfRecords('phrases'), shard)
  await storage.write(changed, recordOf('phrases', shard))
  const oneChanged = await measure()
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
    stats_first: {
      value: first,
      unit: 's',
      goal: '',
      met: null,
      note: 'nothing was kept yet',
    },
    stats_one_changed: {
      value: oneChanged,
      unit: 's',
      goal: '',
      met: null,
      note: 'one record is another one',
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
