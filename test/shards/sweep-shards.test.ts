import { beforeEach, describe, expect, it } from 'vitest'
import { recordPath } from '../../src/rows/family-path.js'
import type { Family } from '../../src/rows/rows.js'
import { textOf } from '../../src/shards/commit.js'
import { shardLock } from '../../src/shards/commit-shard.js'
import { sweepShard, sweepShards } from '../../src/shards/sweep-shards.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { fileOf, putRecord, shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
})

/** A whole shard of these families, the first of them the main one. */
async function whole(main: Family, ...beside: readonly Family[]) {
  const files = Object.fromEntries([main, ...beside].map((family) => [family, fileOf(family, '1')]))
  await putRecord(storage, { family: main, files })
  for (const { path } of Object.values(files)) await storage.write(path, 'x')
  for (const family of beside) {
    if (family === 'rejects') continue
    const pointer = { version: 2, stage: 'chunk', family, main, shard } as const
    await storage.write(recordPath(family, 'chunk', shard), textOf(pointer))
  }
}

/** What a sweep removed, and the shards that it looked into. */
async function sweep(main: Family = 'phrases', changes: Partial<Storage> = {}) {
  const locked: string[] = []
  const seen: Storage = {
    ...storage,
    async create(name, bytes) {
      locked.push(name)
      return storage.create(name, bytes)
    },
    ...changes,
  }
  return { removed: await sweepShards(seen, main, 'chunk'), locked }
}
const lock = shardLock('phrases', 'chunk', shard)

describe('a sweep', () => {
  it('looks into no shard that is whole', async () => {
    await whole('phrases', 'grounding', 'rejects')
    const before = await storage.list('.')
    expect(await sweep()).toEqual({ removed: [], locked: [] })
    expect(await storage.list('.')).toEqual(before)
    expect(await sweepShard(storage, 'phrases', 'chunk', shard)).toEqual([])
    expect(await storage.list('.')).toEqual(before)
  })

  it.each<[string, string]>([
    ['a second file', fileOf('phrases', '2').path],
    ['a second file beside it', fileOf('grounding', '2').path],
    ['a second file of rejects', fileOf('rejects', '2').path],
    ['a file of a family that is not listed', fileOf('negatives', '1').path],
    ['what points to it from a family that is not listed', recordPath('negatives', 'chunk', shard)],
  ])('removes %s', async (_, name) => {
    await whole('phrases', 'grounding', 'rejects')
    const before = await storage.list('.')
    await storage.write(name, 'x')
    expect(await sweep()).toEqual({ removed: [name], locked: [lock] })
    expect(await storage.list('.')).toEqual(before)
  })

  it('removes files whose record is not there, also of rejects alone', async () => {
    const names = [fileOf('phrases', '1').path, fileOf('rejects', '1').path]
    for (const name of names) {
      await storage.write(name, 'x')
      expect((await sweep()).removed).toEqual([name])
    }
    expect(await storage.list('.')).toEqual([])
  })

  it('looks for what is lost of a shard, and leaves the rest', async () => {
    await whole('phrases', 'grounding')
    await storage.remove(fileOf('phrases', '1').path)
    const before = await storage.list('.')
    expect(await sweep()).toEqual({ removed: [], locked: [lock] })
    await storage.write(fileOf('phrases', '1').path, 'x')
    await storage.remove(recordPath('grounding', 'chunk', shard))
    expect(await sweep()).toEqual({ removed: [], locked: [lock] })
    expect(await storage.list('.')).toEqual(
      before
        .concat(fileOf('phrases', '1').path)
        .filter((name) => name !== recordPath('grounding', 'chunk', shard))
        .sort(),
    )
  })

  it('takes over the lock of who died', async () => {
    await whole('phrases')
    const dead = { host: 'gone', pid: 1, started: 's', token: 't', what: 'w', since: 's', beat: 0 }
    await storage.write(lock, JSON.stringify(dead))
    expect((await sweep('phrases', { age: async () => 200_000 })).locked).toEqual([lock])
    expect(await storage.exists(lock)).toBe(false)
    // Of other families it is not this stage's.
    const other = shardLock('grounding', 'chunk', shard)
    await storage.write(other, JSON.stringify(dead))
    expect(await sweep()).toEqual({ removed: [], locked: [] })
  })

  it('goes shard by shard in their order, over records that cannot be read', async () => {
    const left = ['phrases/chunk/00002.parquet', 'grounding/chunk/00000.parquet']
    const other = fileOf('phrases', '1').path.replace(shard, '00001')
    for (const name of [...left, 'phrases/chunk/00001.parquet', other]) await storage.write(name, 'x')
    await storage.write('phrases/chunk/00001.json', '{')
    expect((await sweep()).removed).toEqual([left[1], left[0]])
    expect(await storage.exists(other)).toBe(true)
  })

  it('ends where the store fails', async () => {
    await storage.write(fileOf('phrases', '1').path, 'x')
    const remove = async () => {
      throw new Error('the store is gone')
    }
    await expect(sweep('phrases', { remove })).rejects.toThrow('the store is gone')
  })

  it('of a stage leaves pictures, which are of another, and is told what is aside', async () => {
    const picture = fileOf('images', '2').path
    await storage.write(picture, 'x')
    const swept: string[] = []
    const folders = {
      sweep: async (folder: string) => {
        swept.push(folder)
      },
    }
    expect((await sweep('phrases', folders)).removed).toEqual([])
    const rest = ['selection', 'phrases', 'proposals', 'verdicts', 'grounding', 'negatives', 'rejects']
    expect(swept).toEqual(rest.map((family) => `${family}/chunk`))
    expect(await storage.exists(picture)).toBe(true)
    expect((await sweep('images')).removed).toEqual([picture])
  })
})
