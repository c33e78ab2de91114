import { createHash } from 'node:crypto'
import { readdir, rename } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { families, filePath, recordPath, shardObject } from '../../src/rows/family-path.js'
import type { Family } from '../../src/rows/rows.js'
import { amendConfig, amendShardTask } from '../../src/shards/amend-shard.js'
import { type CommitRecord, readCommit, textOf } from '../../src/shards/commit.js'
import { isWhole } from '../../src/shards/commit-shard.js'
import { committedFile } from '../../src/shards/committed-file.js'
import { joinRows } from '../../src/shards/join-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import type { WriteFamily } from '../../src/shards/shard-files.js'
import { ShardRows } from '../../src/shards/shard-rows.js'
import { runShardTask, type ShardOutput, type ShardTask } from '../../src/shards/shard-task.js'
import { sweepShards } from '../../src/shards/sweep-shards.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { oldPath } from '../helpers/put-shard.js'
import { s3Server } from '../helpers/s3-server.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const bucket = await s3Server()
let buckets = 0

/** A folder of this machine, or a part of a bucket. */
const places: readonly [string, () => Promise<string>][] = [
  ['a folder', temporaryFolder],
  ['a bucket', async () => bucket.url(`writers/${buckets++}`)],
]

const shard = '00000'
const taskOf = (storage: Storage, configHash: string): ShardTask => ({
  ...{ storage, stage: 'chunk', shard, configHash, inputs: {} },
})

/** A shard whose rows say of what configuration they are, and how many there are. */
async function output(write: WriteFamily, configHash: string, rows = 1): Promise<ShardOutput> {
  const keys = Array.from({ length: rows }, (_, row) => `${configHash}-${row}`)
  const phrases = await write(
    'phrases',
    keys.map((key) => ({ key, phrases: [] })),
  )
  const rejects = await write('rejects', [{ key: null, url: configHash, reason: 'bad', detail: '' }])
  const sums = { unit: 'rows', in: rows + 1, out: rows, rejected: { bad: 1 }, stats: emptyStats }
  return { files: { phrases, rejects }, ...sums }
}

/** A writer that has written its files and waits to be told to commit them. */
function pausedWriter(storage: Storage, configHash: string, rows = 1) {
  let goOn = () => {}
  const told = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let written = () => {}
  const paused = new Promise<void>((resolve) => {
    written = resolve
  })
  const done = runShardTask(taskOf(storage, configHash), 'phrases', async (write) => {
    const made = await output(write, configHash, rows)
    written()
    await told
    return made
  })
  return { paused, goOn, done }
}

const make = (storage: Storage, configHash: string, rows = 1) =>
  runShardTask(taskOf(storage, configHash), 'phrases', (write) => output(write, configHash, rows))

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The record of the shard, which is whole: its files, and no others, are there with the bytes that it says. */
async function wholeShard(storage: Storage): Promise<CommitRecord> {
  const record = await readCommit(storage, 'phrases', 'chunk', shard)
  if (!record) throw new Error('there is no record')
  const named = Object.values(record.files)
  for (const file of named) {
    const bytes = await storage.read(file.path)
    expect(bytes && sha256(bytes)).toBe(file.sha256)
    expect(bytes?.length).toBe(file.bytes)
  }
  const there: string[] = []
  for (const family of families) there.push(...(await storage.list(family)))
  const files = there.filter((name) => shardObject(name)?.kind === 'file')
  expect(files).toEqual(named.map(({ path }) => path).sort())
  return record
}

async function keysOf(rows: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of rows) keys.push(key)
  return keys
}

describe.each(places)('two writers of a shard in %s', (_, open) => {
  it('with one configuration make one shard, whoever comes last', async () => {
    const storage = openStorage(await open())
    const slow = pausedWriter(storage, 'c1')
    await slow.paused
    const first = await make(storage, 'c1')
    slow.goOn()
    expect(await slow.done).toEqual({ record: first.record, skipped: true })
    expect(await wholeShard(storage)).toEqual(first.record)
  })

  it('with two leave the shard of who commits last, though that was asleep while the other worked', async () => {
    const storage = openStorage(await open())
    await make(storage, 'c0')
    const asleep = pausedWriter(storage, 'c1')
    await asleep.paused
    expect((await wholeShard(storage)).configHash).toBe('c0')
    expect((await make(storage, 'c2')).skipped).toBe(false)
    expect((await wholeShard(storage)).configHash).toBe('c2')
    asleep.goOn()
    expect((await asleep.done).skipped).toBe(false)
    expect((await wholeShard(storage)).configHash).toBe('c1')
    expect(await keysOf(readShard(storage, 'phrases', 'chunk', shard))).toEqual(['c1-0'])
  })

  it('many at once leave one whole shard', async () => {
    const storage = openStorage(await open())
    const writers = Array.from({ length: 6 }, (_, at) => pausedWriter(storage, `c${at % 4}`))
    for (const { paused } of writers) await paused
    for (const { goOn } of writers) goOn()
    const results = await Promise.all(writers.map(({ done }) => done))
    const { configHash } = await wholeShard(storage)
    expect(results.some(({ record, skipped }) => !skipped && record.configHash === configHash)).toBe(true)
  })

  it('do not undo what was added to a shard since the one of them began', async () => {
    const storage = openStorage(await open())
    const asleep = pausedWriter(storage, 'c1')
    await asleep.paused
    await make(storage, 'c1')
    await amendShardTask(taskOf(storage, 'c1'), 'phrases', (_made, write) => output(write, 'c1', 3))
    asleep.goOn()
    expect((await asleep.done).skipped).toBe(true)
    expect((await wholeShard(storage)).out).toBe(3)
  })

  it('where the one lost its lock in the middle of a commit, leave a whole shard', async () => {
    const storage = openStorage(await open())
    await make(storage, 'c0')
    let swaps = 0
    const losing: Storage = {
      ...storage,
      async swap(...given) {
        // Between its files and its record it is taken for dead, and the other one commits and cleans up.
        if (swaps++ === 0) {
          await storage.remove(recordPath('phrases', 'chunk', shard).replace('json', 'lock'))
          await make(storage, 'c2')
          expect((await wholeShard(storage)).configHash).toBe('c2')
        }
        return storage.swap(...given)
      },
    }
    expect((await make(losing, 'c1')).skipped).toBe(false)
    expect(swaps).toBe(2)
    expect((await wholeShard(storage)).configHash).toBe('c1')
  })

  it('stop before the record where they are told to', async () => {
    const storage = openStorage(await open())
    await make(storage, 'c0')
    const stopping = new AbortController()
    const work = async (write: WriteFamily) => {
      const made = await output(write, 'c1')
      stopping.abort()
      return made
    }
    const task = { ...taskOf(storage, 'c1'), signal: stopping.signal }
    await expect(runShardTask(task, 'phrases', work)).rejects.toThrow(/abort/i)
    expect((await wholeShard(storage)).configHash).toBe('c0')
  })
})

describe('a writer to a bucket', () => {
  it('sends again what was swept between its objects and its record', async () => {
    const storage = openStorage(bucket.url('writers/swept'))
    let sweeps = 0
    const swept: Storage = {
      ...storage,
      async create(name, bytes) {
        if (name.endsWith('.lock') && sweeps++ === 0)
          expect(await sweepShards(storage, 'phrases', 'chunk')).toHaveLength(2)
        return storage.create(name, bytes)
      },
    }
    await make(swept, 'c1')
    expect(sweeps).toBeGreaterThan(0)
    expect((await wholeShard(storage)).configHash).toBe('c1')
  })
})

describe('amendments of a shard', () => {
  it('at once are all in it: who comes second amends what the first has made', async () => {
    const storage = openStorage(await temporaryFolder())
    await make(storage, 'c1')
    let works = 0
    const addRow = () =>
      amendShardTask(taskOf(storage, 'c1'), 'phrases', (made, write) => {
        works++
        return output(write, 'c1', made.out + 1)
      })
    await Promise.all(Array.from({ length: 5 }, addRow))
    expect((await wholeShard(storage)).out).toBe(6)
    expect(works).toBeGreaterThan(5)
  })

  it('are of the rows that their record counts, also where the shard is replaced while they read', async () => {
    const storage = openStorage(await temporaryFolder())
    await make(storage, 'c1', 2)
    let works = 0
    const result = await amendShardTask(taskOf(storage, 'c1'), 'phrases', async (made, write) => {
      if (works++ === 0)
        await amendShardTask(taskOf(storage, 'c1'), 'phrases', (_made, other) => output(other, 'c1', 4))
      const rows = (await keysOf(readShard(storage, 'phrases', 'chunk', shard))).length
      if (rows !== made.out) throw new Error('of the one and the other')
      return output(write, 'c1', rows + 1)
    })
    expect(works).toBe(2)
    expect(result?.record.out).toBe(5)
    expect((await wholeShard(storage)).out).toBe(5)
  })

  it('leave alone what is of another configuration by now, or gone', async () => {
    const storage = openStorage(await temporaryFolder())
    const amend = () =>
      amendShardTask(taskOf(storage, 'c1'), 'phrases', async (_made, write) => {
        await make(storage, 'c2')
        return output(write, 'c1', 9)
      })
    expect(await amend()).toBeUndefined()
    await make(storage, 'c1')
    expect(await amend()).toBeUndefined()
    expect(await wholeShard(storage)).toMatchObject({ configHash: 'c2', out: 1 })
  })

  it('of what a record says of its configuration are not lost to each other', async () => {
    const storage = openStorage(await temporaryFolder())
    await make(storage, 'c1')
    const set = (name: string) =>
      amendConfig(taskOf(storage, 'c1'), 'phrases', (config) => ({ ...config, [name]: true }))
    await Promise.all(['a', 'b', 'c'].map(set))
    expect((await wholeShard(storage)).config).toEqual({ a: true, b: true, c: true })
    expect((await amendConfig(taskOf(storage, 'c2'), 'phrases', () => ({})))?.config).toHaveProperty('a')
  })
})

describe.each(places)('a reader of a shard in %s', (_, open) => {
  /** A dataset in which the shard is made anew between a reader's record and its file, so many times. */
  async function restless(times: number) {
    const storage = openStorage(await open())
    await make(storage, 'c0')
    let changes = 0
    const reading: Storage = {
      ...storage,
      async read(name) {
        const bytes = await storage.read(name)
        if (name === recordPath('phrases', 'chunk', shard) && changes < times)
          await make(storage, `c${++changes}`)
        return bytes
      },
    }
    return { storage, reading }
  }

  it('whose file is gone reads the record again', async () => {
    const { reading } = await restless(1)
    expect(await keysOf(readShard(reading, 'phrases', 'chunk', shard))).toEqual(['c1-0'])
    const joined = joinRows((await restless(1)).reading, shard, { phrases: { stage: 'chunk' } })
    expect(await keysOf(joined)).toEqual(['c1-0'])
    const rejects: (string | null)[] = []
    for await (const { url } of readShard(reading, 'rejects', 'chunk', shard)) rejects.push(url)
    expect(rejects).toEqual(['c1'])
  })

  it('of single rows goes on with the new file where the old one is gone', async () => {
    const { storage, reading } = await restless(1)
    const rows = new ShardRows(reading)
    const keys = async () => {
      const range = { start: 0, end: 9, columns: ['key'] as const }
      return (await rows.read('phrases', 'chunk', shard, range)).map(({ key }) => key)
    }
    expect(await keys()).toEqual(['c1-0'])
    await rows.close()
    await make(storage, 'c7', 2)
    expect(await keys()).toEqual(['c7-0', 'c7-1'])
    await rows.close()
  })

  it('is told what to do where a record names a file that is not there', async () => {
    const storage = openStorage(await open())
    await make(storage, 'c0')
    await storage.remove((await committedFile(storage, 'phrases', 'chunk', shard)).path)
    await expect(keysOf(readShard(storage, 'phrases', 'chunk', shard))).rejects.toThrow(
      /phrases\/chunk\/00000-[0-9a-f]{16}\.parquet.* a record names it, and it is not there.*check --mend/,
    )
  })
})

describe('sweepShards', () => {
  const sweep = (storage: Storage) => sweepShards(storage, 'phrases', 'chunk')

  it('removes what no record names, and nothing else', async () => {
    const storage = openStorage(await temporaryFolder())
    const next = { ...taskOf(storage, 'c1'), shard: '00001' }
    const { record } = await make(storage, 'c1')
    await runShardTask(next, 'phrases', (write) => output(write, 'n'))
    const kept = (await storage.list('.')).sort()
    expect(await sweep(storage)).toEqual([])

    const other = 'f'.repeat(64)
    const left = [
      filePath('phrases', 'chunk', shard, other),
      filePath('rejects', 'chunk', '00001', other),
      // A writer that died before its record, and one that wrote beside it.
      filePath('phrases', 'chunk', '00002', other),
      filePath('grounding', 'chunk', '00003', other),
      recordPath('grounding', 'chunk', '00003'),
      filePath('negatives', 'chunk', shard, other),
    ]
    for (const name of left) {
      const pointer = { ...({ version: 2, stage: 'chunk', family: 'grounding', main: 'phrases' } as const) }
      await storage.write(name, name.endsWith('.json') ? textOf({ ...pointer, shard: '00003' }) : 'left')
    }
    const foreign = [filePath('phrases', 'chunk-2', shard, other), filePath('images', null, shard, other)]
    for (const name of foreign) await storage.write(name, 'of others')
    expect((await sweep(storage)).sort()).toEqual([...left].sort())
    expect((await storage.list('.')).sort()).toEqual([...kept, ...foreign].sort())
    expect(await isWhole(storage, record)).toBe(true)
  })

  it('leaves what a writer that lives has aside, which commits it', async () => {
    const storage = openStorage(await temporaryFolder())
    const writer = pausedWriter(storage, 'c1')
    await writer.paused
    expect(await readdir(storage.path('phrases/chunk'))).toHaveLength(1)
    expect(await sweep(storage)).toEqual([])
    expect(await readdir(storage.path('phrases/chunk'))).toHaveLength(1)
    writer.goOn()
    await writer.done
    expect((await wholeShard(storage)).configHash).toBe('c1')
    expect((await readdir(storage.path('phrases/chunk'))).sort()).toEqual([
      expect.stringMatching(/^00000-[0-9a-f]{16}\.parquet$/),
      '00000.json',
    ])
  })
})

describe('sweepShards over a record that cannot be read', () => {
  it('leaves that shard to whoever mends it', async () => {
    const storage = openStorage(await temporaryFolder())
    await make(storage, 'c1')
    const left = filePath('phrases', 'chunk', shard, 'f'.repeat(64))
    await storage.write(left, 'left')
    await storage.write(recordPath('phrases', 'chunk', shard), '{')
    expect(await sweepShards(storage, 'phrases', 'chunk')).toEqual([])
    expect(await storage.exists(left)).toBe(true)
  })
})

describe('a dataset of an older version', () => {
  /** Gives files the names that they had, and every family the record, as older versions did. */
  async function age(storage: Storage, stage: string) {
    const { record } = await runShardTask({ ...taskOf(storage, 'old'), stage }, 'phrases', async (write) => {
      const made = await output(write, 'old')
      const grounding = await write('grounding', [{ key: 'old-0', regions: [] }])
      return { ...made, files: { ...made.files, grounding } }
    })
    const files = Object.entries(record.files).map(([family, file]) => {
      const path = oldPath(family as Family, stage, shard)
      return [family, { ...file, path }] as const
    })
    for (const [family, { path }] of files)
      await rename(storage.path(record.files[family as Family]?.path as string), storage.path(path))
    const old = { ...record, version: 1 as const, files: Object.fromEntries(files) }
    for (const family of ['phrases', 'grounding'] as const)
      await storage.write(recordPath(family, stage, shard), textOf({ ...old, family }))
    return old
  }

  it('is read as it is, and what is made anew takes its place', async () => {
    const storage = openStorage(await temporaryFolder())
    const old = await age(storage, 'chunk')
    const before = await storage.list('.')
    expect(await keysOf(readShard(storage, 'grounding', 'chunk', shard))).toEqual(['old-0'])
    for await (const { url } of readShard(storage, 'rejects', 'chunk', shard)) expect(url).toBe('old')
    expect(await readCommit(storage, 'grounding', 'chunk', shard)).toEqual({ ...old, family: 'grounding' })
    expect(await make(storage, 'old')).toEqual({ record: old, skipped: true })
    expect(await sweepShards(storage, 'phrases', 'chunk')).toEqual([])
    expect(await storage.list('.')).toEqual(before)

    await make(storage, 'new')
    const record = await wholeShard(storage)
    expect(record).toMatchObject({ version: 2, configHash: 'new' })
    expect(await storage.exists(recordPath('grounding', 'chunk', shard))).toBe(false)
  })
})
