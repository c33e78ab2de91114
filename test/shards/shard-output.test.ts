import { readdir } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { programVersion } from '../../src/base/files/program-version.js'
import { recordPath } from '../../src/rows/family-path.js'
import { readCommit, textOf } from '../../src/shards/commit.js'
import { ShardFiles, type WriteFamily } from '../../src/shards/shard-files.js'
import {
  checkOutput,
  isSame,
  recordOf,
  runShardTask,
  type ShardOutput,
  type ShardTask,
} from '../../src/shards/shard-task.js'
import { asideOf, writeShard } from '../../src/shards/write-shard.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { fileAt, phraseRows, putRecord, recordWith, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
let task: ShardTask
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
  task = { storage, stage: 'chunk', shard, configHash: 'c1', inputs: {} }
})

afterEach(() => {
  vi.restoreAllMocks()
})

async function output(write: WriteFamily, key = 'a'): Promise<ShardOutput> {
  const phrases = await write('phrases', phraseRows(key))
  return { files: { phrases }, unit: 'rows', in: 1, out: 1, rejected: {}, stats: emptyStats }
}
const run = (changes: Partial<ShardTask> = {}, key?: string) =>
  runShardTask({ ...task, ...changes }, 'phrases', (write) => output(write, key))
const current = () => readCommit(storage, 'phrases', 'chunk', shard)
const inFolder = async () => (await readdir(storage.path('phrases/chunk'))).length

describe('a shard that is made', () => {
  it('has its place in the order, asked when all is made, or none', async () => {
    expect((await run()).record).not.toHaveProperty('order')
    const steps: string[] = []
    let now = 1000
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    const order = async () => {
      steps.push('order')
      now += 2500
      return 4
    }
    const { record } = await runShardTask({ ...task, configHash: 'c2', order }, 'phrases', (write) => {
      steps.push('work')
      return output(write)
    })
    expect(steps).toEqual(['work', 'order'])
    expect(record).toMatchObject({ order: 4, seconds: 2.5 })
    expect(await current()).toEqual(record)
  })

  it('is none where its inputs were replaced while they were read', async () => {
    await expect(run({ isCurrent: async () => false })).rejects.toThrow(/was replaced while it was read/)
    expect(await current()).toBeUndefined()
    expect(await inFolder()).toBe(0)
    expect((await run({ isCurrent: async () => true })).skipped).toBe(false)
  })

  it('goes where what is there may not be replaced, and says what it was', async () => {
    const first = (await run()).record
    const asked: unknown[] = []
    const mayReplace = (...of: readonly unknown[]) => {
      asked.push(of)
      return false
    }
    const result = await run({ configHash: 'c2', mayReplace }, 'b')
    expect(result).toMatchObject({ record: first, skipped: true, tried: { configHash: 'c2' } })
    expect(asked).toEqual([[first, result.tried]])
    expect(await current()).toEqual(first)
    expect(await inFolder()).toBe(2)
    const third = await run({ configHash: 'c3', mayReplace: () => true }, 'c')
    expect(third).toEqual({ record: await current(), skipped: false })
    expect(third.record.configHash).toBe('c3')
  })

  it('stays where another has made the same meanwhile, unless a file of that is gone', async () => {
    for (const isGone of [false, true]) {
      const inputs = { images: `${isGone}` }
      const made = await runShardTask({ ...task, inputs }, 'phrases', async (write) => {
        const { record } = await run({ inputs }, 'other')
        if (isGone) await storage.remove(record.files.phrases!.path)
        return output(write)
      })
      expect(made).toEqual({ record: await current(), skipped: !isGone })
      expect(await inFolder()).toBe(2)
    }
  })

  it('does not begin where a stage of its name makes another family, whose record is lost too', async () => {
    const unreached = () => Promise.reject(new Error('not reached'))
    const pointer = { version: 2, stage: 'chunk', family: 'phrases', main: 'images', shard } as const
    const name = recordPath('phrases', 'chunk', shard)
    await storage.write(name, textOf(pointer))
    const refused = /already made the images of shard 00000: give the stage that makes phrases another name/
    await expect(runShardTask(task, 'phrases', unreached)).rejects.toThrow(refused)
    await storage.remove(name)
    await storage.write(recordPath('grounding', 'chunk', shard), textOf({ ...pointer, family: 'grounding' }))
    await expect(runShardTask(task, 'phrases', unreached)).rejects.toThrow(refused)
  })

  it('begins beside pictures of another stage, and what it has itself written beside it', async () => {
    await putRecord(storage, { family: 'images', stage: 'web' })
    await putRecord(storage, { family: 'phrases', configHash: 'c0' })
    const beside = { version: 2, stage: 'chunk', family: 'grounding', main: 'phrases', shard } as const
    await storage.write(recordPath('grounding', 'chunk', shard), textOf(beside))
    expect((await run()).skipped).toBe(false)
  })
})

describe('what a record says', () => {
  it('is what the work gave, in how many milliseconds', () => {
    const file = fileAt('phrases/chunk/a.parquet')
    const made: ShardOutput = {
      ...{ files: { phrases: file }, unit: 'rows', in: 3, out: 1, rejected: { bad: 2 }, stats: emptyStats },
      ...{ relabelled: { rule: 1 }, config: { a: 1 } },
    }
    const { createdAt, ...said } = recordOf(made, { ...task, inputs: { i: 'h' } }, 'phrases', 1.23456)
    expect(said).toEqual({
      ...{ version: 2, stage: 'chunk', family: 'phrases', main: 'phrases', shard, configHash: 'c1' },
      ...{ inputs: { i: 'h' }, ...made, seconds: 1.235, software: `groundmill ${programVersion}` },
    })
    expect(Date.now() - Date.parse(createdAt)).toBeLessThan(60_000)
  })

  it('is of a task that has its stage, configuration and inputs', () => {
    const record = recordWith({ inputs: { a: '1', b: '2' } })
    const own = { ...task, inputs: { b: '2', a: '1' } }
    expect(isSame(record, own)).toBe(true)
    const others: readonly Partial<ShardTask>[] = [
      { stage: 'other' },
      { configHash: 'c2' },
      { inputs: { a: '1' } },
      { inputs: { a: '1', b: '2', c: '3' } },
      { inputs: { a: '1', b: '3' } },
      { inputs: { a: '1', c: '2' } },
    ]
    for (const other of others) expect(isSame(record, { ...own, ...other })).toBe(false)
    expect(isSame(recordWith(), task)).toBe(true)
  })

  it('is held against what readers rely on', () => {
    const check = (changes: Partial<ShardOutput>) => () =>
      checkOutput(
        {
          ...{ files: { phrases: fileAt('p', 2) }, unit: 'rows', in: 3, out: 2, rejected: { bad: 1 } },
          ...{ stats: emptyStats, ...changes },
        },
        task,
        'phrases',
      )
    const phrases = fileAt('p', 2)
    expect(check({})).not.toThrow()
    expect(check({ files: { phrases, rejects: fileAt('r', 7), grounding: fileAt('g', 2) } })).not.toThrow()
    expect(check({ out: 1 })).toThrow('3 rows in, 1 out and 1 rejected do not add up')
    expect(check({ rejected: { bad: 0, worse: 1 } })).not.toThrow()
    expect(check({ files: { grounding: phrases } })).toThrow('there is no file of phrases')
    expect(check({ files: { phrases, images: fileAt('i', 3) } })).toThrow(
      '3 rows of images beside 2 of phrases',
    )
    expect(check({ files: { phrases, negatives: fileAt('n', 1) } })).toThrow('1 rows of negatives')
  })
})

describe('files that wait for their commit', () => {
  it('are put in place as they are asked for, and go when they are not', async () => {
    const files = new ShardFiles(task)
    const first = await files.write('phrases', phraseRows('a'))
    const second = await files.write('phrases', phraseRows('b'))
    expect(await inFolder()).toBe(2)
    // The same again takes the place of what was written.
    expect(await files.write('phrases', phraseRows('a'))).toEqual(first)
    expect(await inFolder()).toBe(2)
    expect(await storage.list('.')).toEqual([])
    await files.place([first.path, 'phrases/chunk/other.parquet'], { onlyMissing: false })
    expect(await storage.list('.')).toEqual([first.path])
    await storage.write(first.path, 'there')
    await files.place([first.path, second.path], { onlyMissing: true })
    expect(String(await storage.read(first.path))).toBe('there')
    expect(await storage.list('.')).toEqual([first.path, second.path].sort())
    await files.place([first.path], { onlyMissing: false })
    expect((await storage.read(first.path))?.length).toBe(first.bytes)
    await files.discard()
    expect(await inFolder()).toBe(2)
    // What was discarded is there no more.
    await storage.remove(first.path)
    await files.place([first.path], { onlyMissing: false })
    expect(await storage.exists(first.path)).toBe(false)
  })

  it("have a name aside that is their shard's, and those of pictures sums of their blocks", async () => {
    expect(asideOf('phrases', 'chunk', shard)).toBe('phrases/chunk/00000.parquet')
    expect(asideOf('images', 'json', 'json.json')).toBe('images/json.json.parquet')
    const bytes = Uint8Array.from({ length: 20_000 }, (_, at) => (at * 31) & 255)
    const picture = { key: 'a', image: { bytes, path: null }, width: 1, height: 1, captions: [] }
    const row = { ...picture, url: null, sha256: '', phash: '', license: null, meta: null }
    const images = await writeShard(storage, 'images', null, shard, [row])
    expect(Buffer.from(images.file.blocks!, 'base64').length).toBe(4 * Math.ceil(images.file.bytes / 16384))
    const small = await writeShard(storage, 'images', null, shard, [
      { ...row, image: { bytes: Buffer.from('x'), path: null } },
    ])
    expect(small.file).not.toHaveProperty('blocks')
    const rejects = Array.from({ length: 3000 }, (_, at) => `${Math.sin(at)}`)
    const long = await writeShard(
      ...([storage, 'rejects', 'chunk', shard] as const),
      rejects.map((url) => ({ key: null, url, reason: 'bad', detail: '' })),
    )
    expect(long.file.bytes).toBeGreaterThan(20_000)
    expect(long.file).not.toHaveProperty('blocks')
  })
})
