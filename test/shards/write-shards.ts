/**
 * Run as a program of its own by many-writers.test.ts: makes a small dataset as a run does, one of several at
 * once, and stops at random for a moment between two operations of the storage.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { random } from '../../src/base/random.js'
import { ingestConfig } from '../../src/ingest/config.js'
import { ingestShard } from '../../src/ingest/ingest-shard.js'
import { openSource } from '../../src/ingest/open-source.js'
import { planIngest, type ShardPlan } from '../../src/ingest/plan-ingest.js'
import { chunkShard } from '../../src/nlp/chunk-shard.js'
import { chunkConfig } from '../../src/nlp/config.js'
import { datasetShards } from '../../src/pipeline/stages/dataset-shards.js'
import { hashOfFile } from '../../src/pipeline/stages/hash-inputs.js'
import { sweepShards } from '../../src/shards/sweep-shards.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'

export interface WriterOrders {
  readonly url: string
  /** Folder of the pictures, and the file of their captions and boxes. */
  readonly images: string
  readonly instances: string
  readonly config: string
  readonly seed: string
  /** Longest pause in milliseconds, and how often there is one. */
  readonly pause: number
  readonly share: number
}

const tries = 20
const orders = JSON.parse(process.argv[2] as string) as WriterOrders
const draw = random(orders.seed)
const storage = withPauses(openStorage(orders.url))
const source = await openSource(
  ingestConfig.parse({ format: 'coco', images: orders.images, instances: orders.instances, shard_size: 3 }),
)
try {
  const { shards, sourceHash } = await planIngest(source)
  const names = shards.map(({ shard }) => shard)
  const chunk = datasetShards(
    { name: 'chunk', uses: 'chunk', needs: [], with: {} },
    orders.config,
    { name: 'gold', storage, shards: names },
    async (shard) => ({
      inputs: { images: await hashOfFile(storage, 'images', null, shard) },
      work: (task) => chunkShard(task, chunkConfig.parse({})),
    }),
  )
  process.stdout.write('ready\n')
  for (const plan of orders.pause > 0 ? draw.shuffle(shards) : shards)
    await retried(async () => {
      await ingestGold(plan, sourceHash)
      await chunk.make(plan.shard, {})
    })
  await sweepShards(storage, 'images', 'gold')
  await sweepShards(storage, 'phrases', 'chunk')
} finally {
  await source.close()
}

function ingestGold(plan: ShardPlan, sourceHash: string) {
  const inputs = { source: sourceHash }
  const task = { storage, stage: 'gold', shard: plan.shard, configHash: orders.config, inputs }
  return ingestShard(task, source, plan)
}

/** As a run does: a shard whose pictures another replaces while they are read is made again. */
async function retried(one: () => Promise<unknown>) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await one()
    } catch (error) {
      if (attempt === tries) throw error
      await delay(draw.between(0, 50))
    }
  }
}

function withPauses<T extends object>(inner: T): T {
  return new Proxy(inner, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'path') return value.apply(target, args)
        return (async () => {
          if (draw.next() < orders.share) await delay(draw.between(0, orders.pause))
          const result: unknown = await value.apply(target, args)
          // What is aside has operations of its own.
          return name === 'writeAside' ? withPauses(result as object) : result
        })()
      }
    },
  }) as T & Storage
}
