import { join } from 'node:path'
import { createDataset } from '../../src/shards/dataset.js'
import type { SampleSource } from '../../src/train/samples/sample.js'
import { ingestAll } from './ingest-all.js'
import { makeSmallWorld } from './small-world.js'

/** The gold of a small world, ingested below a folder: what a training reads. */
export async function smallGold(
  folder: string,
  card: Readonly<Record<string, unknown>> = {},
): Promise<SampleSource> {
  await makeSmallWorld(join(folder, 'world'))
  const world = join(folder, 'world', 'gold')
  const config = { format: 'coco', images: join(world, 'images'), instances: join(world, 'annotations.json') }
  const { storage, plan } = await ingestAll(join(folder, 'gold'), config)
  const shards = plan.shards.map(({ shard }) => shard)
  await createDataset(storage, { name: 's', card, shards })
  return { name: 'gold', storage, shards, grounding: 's', phrases: 's' }
}
