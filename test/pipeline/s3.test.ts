import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readStats } from '../../src/catalog/read-stats.js'
import { readPipeline } from '../../src/pipeline/read-pipeline.js'
import { runPipeline } from '../../src/pipeline/run-pipeline.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { serveFolder } from '../../src/world/serve-world.js'
import { s3Server } from '../helpers/s3-server.js'
import { makeSmallWorld } from '../helpers/small-world.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const world = join(folder, 'world')
const server = await s3Server()

async function shardsOf(url: string): Promise<Record<string, string>> {
  const storage = openStorage(url)
  const names = (await storage.list('.')).filter((name) => name.endsWith('.parquet'))
  const hashes: Record<string, string> = {}
  for (const name of names) {
    hashes[name] = createHash('sha256')
      .update((await storage.read(name)) ?? '')
      .digest('hex')
  }
  return hashes
}

describe('a run in a bucket', () => {
  it('is what a run in a folder is, and goes on from another machine', { timeout: 300_000 }, async () => {
    await makeSmallWorld(world)
    const web = await serveFolder(join(world, 'web'))
    try {
      const set = [
        `world=${world}`,
        `web_url=${web.url}`,
        'gold.shard_size=5',
        'gold.limit=10',
        'web.shard_size=6',
        'web.limit=12',
        'teacher.steps=2',
        'teacher.batch=2',
        'rounds.teach.floor=0.001',
        'rounds.filter.rules=[{rule: score, min: 0.002}]',
      ]
      const run = async (url: string) =>
        runPipeline(await readPipeline('pipelines/quickstart.yaml', { set }), url, {
          only: ['round-1-filter'],
        })
      const local = join(folder, 'run')
      const bucket = server.url('runs/quickstart')
      process.env.XDG_CACHE_HOME = join(folder, 'cache-1')
      expect((await run(local)).failed).toBe(0)
      expect((await run(bucket)).failed).toBe(0)
      const shards = await shardsOf(bucket)
      expect(Object.keys(shards).filter((name) => name.startsWith('web/grounding/'))).toHaveLength(2)
      expect(shards).toEqual(await shardsOf(local))
      // Event files are named by when and where they were begun.
      const modelsOf = async (url: string) =>
        (await openStorage(url).list('models')).map((name) => name.replace(/(tfevents)\..*$/, '$1'))
      expect(await modelsOf(bucket)).toEqual(await modelsOf(local))
      expect((await readStats(bucket)).map(({ stage, out }) => [stage, out])).toEqual(
        (await readStats(local)).map(({ stage, out }) => [stage, out]),
      )

      // A machine that has nothing: the model comes from the bucket.
      process.env.XDG_CACHE_HOME = join(folder, 'cache-2')
      await openStorage(bucket).remove('web/proposals/round-1-label/00001.json')
      const { outcomes } = await run(bucket)
      expect([...outcomes].map(([stage, { ran }]) => [stage, ran]).filter(([, ran]) => ran !== 0)).toEqual([
        ['round-1-label', 1],
      ])
      expect(await shardsOf(bucket)).toEqual(shards)
    } finally {
      await web.close()
    }
  })
})
