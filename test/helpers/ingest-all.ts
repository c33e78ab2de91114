import { ingestConfig } from '../../src/ingest/config.js'
import { ingestShard } from '../../src/ingest/ingest-shard.js'
import { type OpenSource, openSource } from '../../src/ingest/open-source.js'
import { type IngestPlan, planIngest } from '../../src/ingest/plan-ingest.js'
import type { Families } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'

async function ingestShards(source: OpenSource, storage: Storage) {
  // A runner stores the plan: nothing in it may need more than JSON.
  const plan = JSON.parse(JSON.stringify(await planIngest(source))) as IngestPlan
  const records = []
  for (const part of plan.shards) {
    const task = { storage, stage: 's', shard: part.shard, configHash: 'c', inputs: {} }
    records.push((await ingestShard(task, source, part)).record)
  }
  return { plan, records }
}

/** Ingests a source into a dataset, shard by shard, and reads all of it back. */
export async function ingestAll(dataset: string, given: object) {
  const { fetch, ...rest } = given as { readonly fetch?: object }
  const config = ingestConfig.parse({
    image: { image_size: 200, max_pixels: 1_000_000 },
    ...rest,
    fetch: {
      timeout_ms: 1000,
      retries: 2,
      max_bytes: 500_000,
      concurrency: 8,
      // The servers of the tests are on this machine.
      allow_hosts: ['127.0.0.1'],
      ...fetch,
    },
  })
  const storage = openStorage(dataset)
  const source = await openSource(config)
  const { plan, records } = await ingestShards(source, storage).finally(() => source.close())
  const all = async <F extends 'images' | 'rejects' | 'phrases' | 'grounding' | 'negatives'>(family: F) => {
    const rows: Families[F][] = []
    for (const { shard } of plan.shards) {
      const read = readShard(storage, family, family === 'images' ? null : 's', shard)
      for await (const row of read) rows.push(row as unknown as Families[F])
    }
    return rows
  }
  return { storage, plan, records, images: await all('images'), rejects: await all('rejects'), all }
}
