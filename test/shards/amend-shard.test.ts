import { readdir } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { recordPath } from '../../src/rows/family-path.js'
import { amendConfig, amendShardTask, restateShard } from '../../src/shards/amend-shard.js'
import { type CommitRecord, readCommit, textOf } from '../../src/shards/commit.js'
import type { WriteFamily } from '../../src/shards/shard-files.js'
import { runShardTask, type ShardOutput, type ShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { phraseRows, putRecord, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
let task: ShardTask
const name = recordPath('phrases', 'chunk', shard)
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
  task = { storage, stage: 'chunk', shard, configHash: 'c1', inputs: { images: 'i' } }
})

const current = () => readCommit(storage, 'phrases', 'chunk', shard)

async function output(write: WriteFamily, ...keys: readonly string[]): Promise<ShardOutput> {
  const phrases = await write('phrases', phraseRows(...keys))
  const counts = { unit: 'rows', in: keys.length, out: keys.length, rejected: {} }
  return { files: { phrases }, ...counts, stats: emptyStats }
}

const make = (changes: Partial<ShardTask> = {}) =>
  runShardTask({ ...task, ...changes }, 'phrases', (write) => output(write, 'a'))

const nothingAside = async () =>
  expect((await readdir(storage.path('phrases/chunk'))).filter((one) => /aside/.test(one))).toEqual([])

describe('a shard that is amended', () => {
  it('has what was added, and its place in the order and the time that it took before', async () => {
    const first = { ...(await make({ order: async () => 7 })).record, seconds: 1000 }
    await storage.write(name, textOf(first))
    const result = await amendShardTask(task, 'phrases', async (made, write) => {
      expect(made).toEqual(first)
      return output(write, 'a', 'b')
    })
    expect(result).toEqual({ record: await current(), skipped: false })
    expect(result?.record).toMatchObject({ out: 2, order: 7, configHash: 'c1', inputs: { images: 'i' } })
    expect(result?.record.seconds).toBeGreaterThanOrEqual(1000)
    expect(result?.record.seconds).toBeLessThan(1500)
    expect(await storage.exists(first.files.phrases!.path)).toBe(false)
    await nothingAside()
  })

  it('has no place in the order where it had none', async () => {
    await make()
    const result = await amendShardTask(task, 'phrases', (_, write) => output(write, 'a', 'b'))
    expect(result?.record).not.toHaveProperty('order')
  })

  it('stays where nothing is to be changed', async () => {
    const { record } = await make()
    expect(await amendShardTask(task, 'phrases', async () => undefined)).toEqual({ record, skipped: true })
    expect(await current()).toEqual(record)
  })

  it('is none that is not there or was made of something else', async () => {
    const unreached = () => Promise.reject(new Error('not reached'))
    expect(await amendShardTask(task, 'phrases', unreached)).toBeUndefined()
    await make()
    const of = (changes: Partial<ShardTask>) => amendShardTask({ ...task, ...changes }, 'phrases', unreached)
    expect(await of({ configHash: 'c2' })).toBeUndefined()
    expect(await of({ inputs: { images: 'j' } })).toBeUndefined()
  })

  it('stays as it is where the work fails, is stopped, or gives what does not add up', async () => {
    const { record } = await make()
    const fail = async (_: CommitRecord, write: WriteFamily) => {
      await output(write, 'b')
      throw new Error('no')
    }
    await expect(amendShardTask(task, 'phrases', fail)).rejects.toThrow('no')
    const wrong = async (_: CommitRecord, write: WriteFamily) => ({ ...(await output(write, 'b')), in: 5 })
    await expect(amendShardTask(task, 'phrases', wrong)).rejects.toThrow('do not add up')
    const stopping = new AbortController()
    let works = 0
    const stopped = amendShardTask({ ...task, signal: stopping.signal }, 'phrases', async (_, write) => {
      works++
      const made = await output(write, 'b')
      stopping.abort()
      return made
    })
    await expect(stopped).rejects.toThrow(/abort/i)
    expect(works).toBe(1)
    expect(await current()).toEqual(record)
    await nothingAside()
  })

  it('is read again where another has replaced it while the work failed, unless it was stopped', async () => {
    await make()
    const replace = async () => {
      const now = (await current()) as CommitRecord
      await storage.write(name, textOf({ ...now, createdAt: `${now.createdAt}+` }))
    }
    let works = 0
    const work = async (_: CommitRecord, write: WriteFamily) => {
      if (works++ > 0) return output(write, 'b')
      await replace()
      throw new Error('of the one and the other')
    }
    expect((await amendShardTask(task, 'phrases', work))?.skipped).toBe(false)
    expect(works).toBe(2)
    const stopping = new AbortController()
    works = 0
    const stopped = amendShardTask({ ...task, signal: stopping.signal }, 'phrases', async () => {
      works++
      stopping.abort()
      await replace()
      throw new Error('stopped')
    })
    await expect(stopped).rejects.toThrow('stopped')
    expect(works).toBe(1)
  })

  it('is amended again where another has replaced it before the commit', async () => {
    await make()
    const seen: string[] = []
    const result = await amendShardTask(task, 'phrases', async (made, write) => {
      seen.push(made.createdAt)
      if (seen.length === 1) await storage.write(name, textOf({ ...made, createdAt: 'later' }))
      return output(write, 'b')
    })
    expect(seen).toEqual([expect.any(String), 'later'])
    expect(result).toEqual({ record: await current(), skipped: false })
  })
})

describe('what a record says of its configuration', () => {
  const amend = (changes: Partial<ShardTask> = {}) =>
    amendConfig({ ...task, ...changes }, 'phrases', (config) => ({ ...config, b: 2 }))

  it('is changed alone', async () => {
    expect(await amend()).toBeUndefined()
    const record = await putRecord(storage, { inputs: task.inputs, config: { a: 1 } })
    expect(await amend()).toEqual({ ...record, config: { a: 1, b: 2 } })
    expect(await current()).toEqual({ ...record, config: { a: 1, b: 2 } })
    const bare = await putRecord(storage, { inputs: task.inputs })
    expect(await amend()).toEqual({ ...bare, config: { b: 2 } })
  })

  it('stays where it is of something else', async () => {
    const record = await putRecord(storage, { inputs: task.inputs })
    expect(await amend({ configHash: 'c2' })).toEqual(record)
    expect(await current()).toEqual(record)
  })

  it('is changed of what another has written in between', async () => {
    const record = await putRecord(storage, { inputs: task.inputs })
    let swaps = 0
    const racing: Storage = {
      ...storage,
      async swap(...given) {
        if (swaps++ === 0) await storage.write(name, textOf({ ...record, config: { a: 1 } }))
        return storage.swap(...given)
      },
    }
    expect((await amend({ storage: racing }))?.config).toEqual({ a: 1, b: 2 })
    expect(swaps).toBe(2)
    expect((await current())?.config).toEqual({ a: 1, b: 2 })
  })
})

describe('a shard whose configuration is told in another way', () => {
  const told = { configHash: 'c0', inputs: { source: 's' } }
  const others = { configHash: 'c9', inputs: {} }

  it('is said to be of that, where it was made of one of the known', async () => {
    const record = await putRecord(storage, told)
    await restateShard(task, 'phrases', [others, told])
    expect(await current()).toEqual({ ...record, configHash: 'c1', inputs: { images: 'i' } })
  })

  it('stays where it was made of none of them', async () => {
    const record = await putRecord(storage, told)
    for (const known of [[], [others], [{ ...told, configHash: 'c9' }], [{ ...told, inputs: {} }]]) {
      await restateShard(task, 'phrases', known)
      expect(await current()).toEqual(record)
    }
  })

  it('is none where there is none, and stays where another changes it meanwhile', async () => {
    await restateShard(task, 'phrases', [told])
    expect(await current()).toBeUndefined()
    const record = await putRecord(storage, told)
    const other = { ...record, configHash: 'other' }
    const racing: Storage = {
      ...storage,
      async swap(...given) {
        await storage.write(name, textOf(other))
        return storage.swap(...given)
      },
    }
    await restateShard({ ...task, storage: racing }, 'phrases', [told])
    expect(await current()).toEqual(other)
  })
})
