import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { readCommit } from '../../src/shards/commit.js'
import { createDataset, readDataset } from '../../src/shards/dataset.js'
import { datasetFunnel } from '../../src/shards/funnel.js'
import { hashJson } from '../../src/shards/hash.js'
import { runShardTask, type ShardOutput, type ShardTask } from '../../src/shards/shard-task.js'
import { emptyStats, mergeStats, statsBuilder } from '../../src/shards/stats.js'
import { openStorage } from '../../src/shards/storage.js'
import { writeShard } from '../../src/shards/write-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const storage = openStorage(await temporaryFolder())
const task: ShardTask = {
  storage,
  stage: 'chunk',
  shard: '00000',
  configHash: 'c1',
  inputs: { images: 'i1' },
}

let runs = 0
const work = async (): Promise<ShardOutput> => {
  runs++
  const file = await writeShard(storage, 'phrases', 'chunk', '00000', [{ key: 'a', phrases: [] }])
  const stats = statsBuilder()
  stats.count('phrases', 3)
  stats.tally('heads', '__proto__')
  stats.observe('score', [0.5], 0.7)
  return {
    files: { phrases: file },
    unit: 'captions',
    in: 3,
    out: 2,
    rejected: { no_phrase: 1 },
    stats: stats.build(),
  }
}

describe('a shard task', () => {
  it('runs once for the same configuration and inputs, and again for others', async () => {
    expect((await runShardTask(task, 'phrases', work)).skipped).toBe(false)
    expect((await runShardTask(task, 'phrases', work)).skipped).toBe(true)
    expect((await runShardTask({ ...task, configHash: 'c2' }, 'phrases', work)).skipped).toBe(false)
    expect(
      (await runShardTask({ ...task, configHash: 'c2', inputs: { images: 'i2' } }, 'phrases', work)).skipped,
    ).toBe(false)
    expect(runs).toBe(3)
  })

  it('leaves no record when its work fails, even where there was one', async () => {
    const fail = () => Promise.reject(new Error('no'))
    await expect(runShardTask({ ...task, configHash: 'c3' }, 'phrases', fail)).rejects.toThrow('no')
    expect(await readCommit(storage, 'phrases', 'chunk', '00000')).toBeUndefined()
  })

  it('leaves no record when it was aborted', async () => {
    const aborted = { ...task, configHash: 'c4', signal: AbortSignal.abort() }
    await expect(runShardTask(aborted, 'phrases', work)).rejects.toThrow()
    expect(await readCommit(storage, 'phrases', 'chunk', '00000')).toBeUndefined()
  })

  it('refuses counts that do not add up', async () => {
    const wrong = async () => ({ ...(await work()), in: 4 })
    await expect(runShardTask({ ...task, configHash: 'c5' }, 'phrases', wrong)).rejects.toThrow(
      'do not add up',
    )
  })

  it('is counted once in the funnel, whatever families it wrote', async () => {
    const folder = openStorage(await temporaryFolder())
    for (const shard of ['00000', '00001']) {
      await runShardTask({ ...task, storage: folder, stage: 'gold', shard }, 'images', async () => {
        const images = await writeShard(folder, 'images', null, shard, [])
        const phrases = await writeShard(folder, 'phrases', 'gold', shard, [])
        const rejects = await writeShard(folder, 'rejects', 'gold', shard, [])
        return { ...(await work()), files: { images, phrases, rejects }, unit: 'pairs' }
      })
    }
    expect(await readCommit(folder, 'phrases', 'gold', '00001')).toMatchObject({
      family: 'phrases',
      main: 'images',
    })
    const funnel = await datasetFunnel(folder)
    expect(funnel).toHaveLength(1)
    expect(funnel[0]).toMatchObject({
      stage: 'gold',
      unit: 'pairs',
      in: 6,
      out: 4,
      rejected: { no_phrase: 2 },
      shards: 2,
    })
    expect(Object.entries(funnel[0].stats.tallies.heads)).toEqual([['__proto__', 2]])
    expect(funnel[0].stats.histograms.score.counts).toEqual([0, 2])
  })
})

describe('statistics', () => {
  it('merge in any order', () => {
    const part = (name: string) => {
      const builder = statsBuilder()
      builder.count(name)
      builder.tally('heads', name)
      builder.observe('h', [1, 2], name.length)
      return builder.build()
    }
    const [a, b, c] = ['a', 'bb', 'a'].map(part)
    expect(mergeStats(mergeStats(a, b), c)).toEqual(mergeStats(c, mergeStats(b, a)))
    expect(mergeStats(emptyStats, a)).toEqual(a)
  })

  it('hash equal values alike, whatever the order of their keys', () => {
    expect(hashJson({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(hashJson({ b: [{ d: 3, c: 2 }], a: 1 }))
    expect(hashJson([1, 2])).not.toBe(hashJson([2, 1]))
  })
})

describe('dataset.json', () => {
  it('is read back, and refused when missing, malformed or newer', async () => {
    const folder = openStorage(await temporaryFolder())
    await expect(readDataset(folder)).rejects.toThrow(/is not a dataset: .*dataset\.json is missing/)
    await createDataset(folder, { name: 'n', card: null, shards: ['00000'] })
    expect(await readDataset(folder)).toMatchObject({ name: 'n', schemaVersion: 1, shards: ['00000'] })
    await writeFile(folder.path('dataset.json'), '{"schemaVersion": 2, "name": "n"}')
    await expect(readDataset(folder)).rejects.toThrow(/schema version 2, this groundmill reads up to 1/)
    await writeFile(folder.path('dataset.json'), '{"schemaVersion": 1, "name": "n", "card": null}')
    await expect(readDataset(folder)).rejects.toThrow(/dataset\.json: shards:/)
    await writeFile(folder.path('dataset.json'), '{')
    await expect(readDataset(folder)).rejects.toThrow(/is not JSON/)
  })

  it('is only looked for where storage can be', () => {
    expect(() => openStorage('ftp://host/x')).toThrow(/ftp:\/\//)
  })
})
