import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { type DeclareOptions, declareDataset } from '../../../src/pipeline/records/declare-dataset.js'
import { readDataset } from '../../../src/shards/dataset.js'
import { openStorage } from '../../../src/storage/open-storage.js'
import type { Storage } from '../../../src/storage/storage.js'
import { putShard } from '../../helpers/put-shard.js'
import { putRecord } from '../../helpers/shard-records.js'
import { putRows } from '../../helpers/stage-context.js'
import { temporaryFolder } from '../../helpers/temporary-folder.js'

const newDataset = async () => openStorage(await temporaryFolder())

/** Says that the source gives so many rows for each shard, 00000 and on. */
const declare = (
  storage: Storage,
  rows: readonly number[],
  options: Partial<DeclareOptions> = {},
  card: object | null = null,
) =>
  declareDataset(
    storage,
    'web',
    {
      card: card as never,
      shards: rows.map((count, at) => ({
        ...{ shard: `0000${at}`, mark: { at: 0, line: at }, rows: count, hash: 'h' },
      })),
    },
    { drop: false, ...options },
  )

/** The record of a shard's pictures, of which some could not be had. */
const putPictures = (storage: Storage, shard: string, given: number, out: number) =>
  putRecord(storage, {
    family: 'images',
    stage: 'web',
    shard,
    in: given,
    out,
    rejected: { gone: given - out },
  })

const refusal = async (declaring: Promise<void>) => {
  const error = await declaring.catch((thrown) => thrown)
  expect(error).toBeInstanceOf(UserError)
  return (error as Error).message
}

describe('the shards of a dataset', () => {
  it('are those that its source gives, also when it gives more', async () => {
    const storage = await newDataset()
    await declare(storage, [3, 3], {}, { license: 'mit' })
    const first = await readDataset(storage)
    expect(first).toMatchObject({ name: 'web', card: { license: 'mit' }, shards: ['00000', '00001'] })
    const written = await storage.readVersioned('dataset.json')
    await declare(storage, [3, 3], { others: () => Promise.reject(new Error('asked')) }, { license: 'mit' })
    expect(await storage.readVersioned('dataset.json')).toEqual(written)
    await declare(storage, [3, 3, 2], { others: async () => undefined })
    expect(await readDataset(storage)).toMatchObject({ card: null, shards: ['00000', '00001', '00002'] })
  })

  it('are not taken away by a source that has lost some', async () => {
    const storage = await newDataset()
    await declare(storage, [3, 3, 3, 3])
    const before = await readDataset(storage)
    for (const [shard, out] of [
      ['00000', 3],
      ['00001', 2],
      ['00002', 3],
      ['00003', 2],
    ] as const)
      await putPictures(storage, shard, 3, out)
    expect(await refusal(declare(storage, [3, 3]))).toContain(
      'the source of "web" has less than before: 2 shards of 4 with 5 pictures would go.',
    )
    expect(await refusal(declare(storage, [3, 3, 2]))).toContain(
      ': 1 shard of 4 with 2 pictures and 1 row of shard 00002 would go.',
    )
    // Rows of the first and of the last tell of all.
    expect(await refusal(declare(storage, [2, 3, 3, 1]))).toContain(
      ': 1 row of shard 00000 and 2 rows of shard 00003 would go.',
    )
    expect(await refusal(declare(storage, [0, 3, 3, 3]))).toContain(': 3 rows of shard 00000 would go.')
    expect(await readDataset(storage)).toEqual(before)
    await declare(storage, [9, 3, 3, 4])
    // Nothing is lost of what was not made, or cannot be read.
    await storage.remove('images/00003.json')
    await storage.write('images/00002.json', '{')
    expect(await refusal(declare(storage, [3, 3]))).toContain(': 2 shards of 4 with 0 pictures would go.')
    expect(await refusal(declare(storage, [2]))).toContain(
      ': 3 shards of 4 with 2 pictures and 1 row of shard 00000 would go.',
    )
    await declare(storage, [3, 3, 1, 1])
    await storage.write('images/00000.json', '{')
    await storage.remove('images/00001.json')
    await declare(storage, [1, 1, 1, 1])
  })

  it('has one picture less in words', async () => {
    const storage = await newDataset()
    await declare(storage, [1, 1])
    await putPictures(storage, '00001', 1, 1)
    expect(await refusal(declare(storage, [1]))).toContain(': 1 shard of 2 with 1 picture would go.')
  })

  it('that the source no longer gives go where they are dropped, of every stage, and nothing else', async () => {
    const storage = await newDataset()
    const shards = ['00000', '00001']
    const dataset = { name: 'web', storage, shards }
    await declare(storage, [1, 1])
    await putRows(dataset, 'images', 'web')
    await putRows(dataset, 'phrases', 'words')
    await putRows(dataset, 'negatives', 'mined')
    const reject = { key: null, url: null, reason: 'gone', detail: 'x', caption: null } as never
    for (const shard of shards) await putShard(storage, 'rejects', 'words', shard, [reject])
    await storage.write('images/00001.txt', 'mine')
    await storage.write('notes/00001.json', 'mine')
    const before = await storage.list('.')
    const removed: string[] = []
    const own = openStorage(storage.url)
    const remove = own.remove.bind(own)
    own.remove = async (name) => {
      removed.push(name)
      await remove(name)
    }
    await declare(own, [1], { drop: true })
    const gone = before.filter(
      (name) => /\/00001[-.].*(json|parquet)$/.test(name) && !name.startsWith('notes'),
    )
    expect(gone.length).toBeGreaterThan(7)
    expect([...removed].sort()).toEqual(gone)
    expect(await storage.list('.')).toEqual(before.filter((name) => !gone.includes(name)))
    // Of each family records go before the files that they name.
    const images = removed.filter((name) => name.startsWith('images'))
    expect(images.map((name) => name.replace(/^.*\./, ''))).toEqual(['json', 'parquet'])
    expect((await readDataset(storage)).shards).toEqual(['00000'])
  })

  it('that who was killed has left go where they are dropped again', async () => {
    const storage = await newDataset()
    await declare(storage, [1])
    for (const shard of ['00000', '00001']) await putPictures(storage, shard, 1, 1)
    await declare(storage, [1])
    expect(await storage.list('images')).toEqual(['images/00000.json', 'images/00001.json'])
    await declare(storage, [1], { drop: true })
    expect(await storage.list('images')).toEqual(['images/00000.json'])
  })

  it('stay where another pipeline works on them', async () => {
    const storage = await newDataset()
    await declare(storage, [1, 1])
    const others = async () => 'process 7 on a'
    expect(await refusal(declare(storage, [1], { drop: true, others }))).toContain(
      'and process 7 on a works on this run',
    )
    expect((await readDataset(storage)).shards).toHaveLength(2)
    await declare(storage, [1], { drop: true, others: async () => undefined })
    expect((await readDataset(storage)).shards).toHaveLength(1)
  })

  it('are looked at again where another process has declared them meanwhile', async () => {
    const storage = await newDataset()
    await declare(storage, [1])
    let asked = 0
    const others = async () => {
      if (asked++ === 0) await declare(storage, [1, 1, 1])
      return undefined
    }
    expect(await refusal(declare(storage, [1, 1], { others }))).toContain('1 shard of 3')
    expect(asked).toBe(1)
    const dropping = async () => {
      if (asked++ === 1) await declare(storage, [1, 1, 1, 1])
      return undefined
    }
    await declare(storage, [1], { drop: true, others: dropping })
    expect(asked).toBe(3)
    expect((await readDataset(storage)).shards).toEqual(['00000'])
  })
})
