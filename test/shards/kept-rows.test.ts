import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { parquetChunks } from '../../src/parquet/parquet-chunks.js'
import { arrowSchema, nullable } from '../../src/rows/arrow-schema.js'
import { recordPath } from '../../src/rows/family-path.js'
import { rowKey } from '../../src/rows/row-key.js'
import type { Family, ImageRow } from '../../src/rows/rows.js'
import { type CommitRecord, readCommit, textOf } from '../../src/shards/commit.js'
import { readMain } from '../../src/shards/commit-shard.js'
import { damagedRows } from '../../src/shards/damaged-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { putAside, type Salvaged, salvageShard } from '../../src/shards/salvage-shard.js'
import { runShardTask, type ShardOutput } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { shard } from '../helpers/shard-records.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

let storage: Storage
beforeEach(async () => {
  storage = openStorage(await temporaryFolder())
})
const stage = 'gold'
const keys = [0, 1, 2, 3, 4, 5].map((index) => rowKey(shard, index))

function image(index: number, changes: Partial<ImageRow> = {}, size = 40): ImageRow {
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31 + index * 7 + (at >> 5)) & 255)
  return {
    ...{
      key: keys[index]!,
      image: { bytes, path: null },
      width: 4,
      height: 3,
      phash: 'p',
      fingerprint: null,
    },
    ...{ captions: [{ text: `picture ${index}`, kind: 'web' }], url: `https://example.org/${index}.jpg` },
    ...{ sha256: hashBytes(bytes), license: null, meta: null, ...changes },
  }
}
const reject = (index: number) => ({
  ...{ key: keys[index]!, url: `https://example.org/${index}.jpg`, reason: 'robots', detail: `no ${index}` },
})

interface Made {
  readonly rows?: readonly ImageRow[]
  readonly hasGold?: boolean
  readonly goldKeys?: readonly string[]
  readonly changes?: Partial<ShardOutput>
}

/** A shard of six rows of a source, of which four are pictures: the third and the fifth were rejected. */
async function made({ rows, hasGold = false, goldKeys, changes = {} }: Made = {}): Promise<CommitRecord> {
  const images = rows ?? [0, 1, 3, 5].map((index) => image(index))
  const own = goldKeys ?? images.map(({ key }) => key)
  const task = { storage, stage, shard, configHash: 'c', inputs: { source: 's' } }
  const { record } = await runShardTask(task, 'images', async (write) => ({
    files: {
      images: await write('images', images),
      rejects: await write('rejects', [2, 4].map(reject)),
      ...(hasGold && {
        phrases: await write(
          'phrases',
          own.map((key) => ({
            key,
            phrases: [{ caption: 0, text: 'a dog', start: 0, end: 5, head: 'dog' }],
          })),
        ),
        grounding: await write(
          'grounding',
          own.map((key) => ({ key, regions: [] })),
        ),
        negatives: await write(
          'negatives',
          own.map((key) => ({ key, negatives: [], exhaustive: true, partial: [], teacher: null })),
        ),
      }),
    },
    ...{
      unit: 'pairs',
      in: images.length + 2,
      out: images.length,
      rejected: { robots: 2 },
      stats: emptyStats,
    },
    ...changes,
  }))
  return record
}

const place = () => ({ storage, stage, shard })
const main = async () => (await readMain(place(), 'images'))!
const salvage = async () => (await salvageShard(place(), await main())) as Salvaged
const pathOf = (record: CommitRecord, family: Family) => storage.path(record.files[family]!.path)

async function change(path: string, by: (bytes: Buffer) => Buffer | undefined) {
  const bytes = await readFile(path)
  await writeFile(path, by(bytes) ?? bytes)
}
/** Writes rows of a family, in which more may be null than ever is. */
async function writeRows(path: string, family: Family, rows: readonly object[], ...nulls: readonly string[]) {
  const pieces: Uint8Array[] = []
  const mayBeNull = new Set([...nullable[family], ...nulls])
  for await (const piece of parquetChunks(arrowSchema(family), mayBeNull, rows)) pieces.push(piece)
  await writeFile(path, Buffer.concat(pieces))
}
/** Changes a byte of a picture. */
const breakPicture = (record: CommitRecord, { image: { bytes } }: ImageRow) =>
  change(pathOf(record, 'images'), (all) => {
    all[all.indexOf(bytes) + (bytes.length >> 1)]! ^= 1
    return undefined
  })
const cutFooter = (path: string) => change(path, (bytes) => bytes.subarray(0, bytes.length - 30))
const breakAll = (path: string) => change(path, (bytes) => bytes.fill(0xff))

async function rowsOf<F extends Family>(family: F) {
  const rows = []
  for await (const row of readShard(storage, family, family === 'images' ? null : stage, shard))
    rows.push(row)
  return rows
}
const keysOf = async (family: Family) => (await rowsOf(family)).map(({ key }) => key)

describe('a shard whose files can be written anew as they were', () => {
  it('is what it was: nothing is lost, and nothing stays aside', async () => {
    const before = await made({ hasGold: true })
    for (const family of ['images', 'rejects', 'phrases'] as const) await cutFooter(pathOf(before, family))
    const gold = await rowsOf('negatives')
    expect(await salvage()).toEqual({ record: before, lost: [], left: [], aside: [] })
    expect(await readCommit(storage, 'images', null, shard)).toEqual(before)
    expect(await keysOf('images')).toEqual([0, 1, 3, 5].map((index) => keys[index]))
    expect(await keysOf('rejects')).toEqual([keys[2], keys[4]])
    expect(gold).toHaveLength(4)
    expect((await storage.list('.')).filter((name) => name.endsWith('.damaged'))).toEqual([])
  })
})

describe('a shard of pictures one of which is broken', () => {
  it('has it among its rejects, and its gold without it', async () => {
    const stats = { ...emptyStats, tallies: { dropped: { crowd: 3 } } }
    const before = await made({ hasGold: true, changes: { stats, config: { a: 1 } } })
    await breakPicture(before, image(1))
    const saved = await salvage()
    expect(saved).toMatchObject({
      lost: [keys[1]],
      left: [],
      aside: [`${before.files.images!.path}.damaged`],
    })
    expect(await readCommit(storage, 'images', null, shard)).toEqual(saved.record)
    expect(saved.record).toMatchObject({
      ...{
        version: 2,
        configHash: 'c',
        config: { a: 1 },
        in: 6,
        out: 3,
        rejected: { robots: 2, damaged: 1 },
      },
      inputs: { source: 's', damaged: before.files.images!.sha256 },
    })
    expect(saved.record.stats.tallies).toMatchObject({ dropped: { crowd: 3 }, heads: { dog: 3 } })
    expect(saved.record.stats.counts).toMatchObject({
      images: 3,
      captions: 3,
      phrases: 3,
      exhaustive_images: 3,
    })
    const kept = [keys[0], keys[3], keys[5]]
    for (const family of ['images', 'phrases', 'grounding', 'negatives'] as const)
      expect(await keysOf(family)).toEqual(kept)
    expect(await rowsOf('rejects')).toEqual([
      {
        ...{ key: keys[1], url: 'https://example.org/1.jpg', reason: 'damaged' },
        detail: expect.any(String),
      },
      reject(2),
      reject(4),
    ])
    expect(Object.keys(saved.record.files).sort()).toEqual(Object.keys(before.files).sort())
    expect(await storage.exists(saved.aside[0]!)).toBe(true)
    expect(await storage.exists(before.files.images!.path)).toBe(false)
  })

  it('has it with no address where that is not there', async () => {
    const rows = [image(0), image(1, { url: null }), image(3), image(5)]
    const before = await made({ rows })
    await breakPicture(before, rows[1]!)
    await salvage()
    expect((await rowsOf('rejects'))[0]).toMatchObject({ key: keys[1], url: null, reason: 'damaged' })
  })

  it('is given up where no picture is left', async () => {
    const rows = [image(0)]
    const before = await made({ rows, changes: {} })
    await breakPicture(before, rows[0]!)
    expect(await salvage()).toBeUndefined()
    expect(await readCommit(storage, 'images', null, shard)).toEqual(before)
  })

  it('is left to who has replaced it, and to who stops', async () => {
    const before = await made()
    await breakPicture(before, image(1))
    const old = await main()
    const stopped = { ...place(), signal: AbortSignal.abort() }
    await expect(salvageShard(stopped, old)).rejects.toThrow(/abort/i)
    await storage.write(recordPath('images', null, shard), textOf({ ...before, createdAt: 'later' }))
    expect(await salvageShard(place(), old)).toBe('replaced')
    expect((await readCommit(storage, 'images', null, shard))?.createdAt).toBe('later')
    expect((await storage.list('.')).filter((name) => name.endsWith('.damaged'))).toEqual([])
    const goesOn = { ...place(), signal: new AbortController().signal }
    expect(await salvageShard(goesOn, await main())).toMatchObject({ lost: [keys[1]] })
  })

  it('whose bytes are not those of its hash has been encoded anew: it is whole where its blocks are', async () => {
    const anew = (index: number) => image(index, { sha256: 'of what came' }, 40_000)
    const rows = [anew(0), anew(1), anew(3), anew(5)]
    const before = await made({ rows })
    expect(before.files.images!.blocks).toBeDefined()
    await breakPicture(before, rows[1]!)
    const { lost } = await salvage()
    expect(lost).toEqual([keys[1]])
    expect(await keysOf('images')).toEqual([keys[0], keys[3], keys[5]])
  })

  it('that was encoded anew is not whole where its other columns are not, or there are no sums', async () => {
    const rows = [0, 1, 3, 5].map((index) => image(index, index ? {} : { sha256: 'of what came' }, 40_000))
    const before = await made({ rows })
    const { footer, close } = await openParquet(pathOf(before, 'images'))
    await close()
    const captions = footer.groups[0]!.chunks.find(({ path: [name] }) => name === 'captions')!
    await change(pathOf(before, 'images'), (bytes) => bytes.fill(0xff, captions.start, captions.end))
    expect((await salvage()).lost).toEqual([keys[0]])
    // In a file of one block.
    storage = openStorage(await temporaryFolder())
    const small = [image(0, { sha256: 'of what came' }), image(1), image(3), image(5)]
    await breakPicture(await made({ rows: small }), image(3))
    expect((await salvage()).lost).toEqual([keys[0], keys[3]])
  })

  it('is whole only with what a picture has', async () => {
    const odd: readonly (readonly [Partial<ImageRow>, Partial<ImageRow>, Partial<ImageRow>])[] = [
      [{ width: 0 }, { height: -1 }, { meta: '{' }],
      [{ meta: '3' }, { meta: 'null' }, { meta: '"x"' }],
    ]
    for (const [first, second, third] of odd) {
      storage = openStorage(await temporaryFolder())
      const rows = [image(0, first), image(1, second), image(3, third), image(5)]
      const before = await made({ rows })
      // All rows of the file can be read as they were.
      await change(pathOf(before, 'images'), (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))
      await writeFile(pathOf(before, 'rejects'), '')
      expect((await salvage()).lost).toEqual([0, 1, 2, 3, 4].map((index) => keys[index]))
    }
    storage = openStorage(await temporaryFolder())
    const rows = [image(0, { meta: '{"tdm_reservation":1}' }), image(1, { meta: '{"tdm_reservation":0}' })]
    await breakPicture(await made({ rows: [...rows, image(3, { meta: '{}' }), image(5)] }), image(5))
    expect((await salvage()).record.stats.tallies.tdm_reservation).toEqual({ reserved: 1, 'not reserved': 1 })
  })

  it('is not one of whose row something is null that is always there', async () => {
    const before = await made()
    const odd = [
      { ...image(0), phash: null },
      { ...image(1), captions: [{ text: 'x', kind: null }] },
      { ...image(1), key: null },
      { ...image(3), captions: [{ text: null, kind: 'web' }] },
      image(5),
    ]
    await writeRows(pathOf(before, 'images'), 'images', odd, 'key', 'phash', 'captions.text', 'captions.kind')
    await writeRows(
      ...([
        pathOf(before, 'rejects'),
        'rejects',
        [{ ...reject(2), detail: null }, reject(4)],
        'detail',
      ] as const),
    )
    expect((await salvage()).lost).toEqual([0, 1, 2, 3].map((index) => keys[index]))
    const names = await readdir(storage.path('.'), { recursive: true })
    expect(names.filter((name) => /aside/.test(name))).toEqual([])
  })

  it('is not one that is of another place of the source, or that was rejected', async () => {
    const twice = [image(0), image(1), { ...image(3), key: keys[1]! }, { ...image(5), key: '000009999' }]
    const last = image(5, { sha256: 'of others' })
    await breakPicture(await made({ rows: [...twice, { ...image(0), key: keys[2]! }, last] }), image(5))
    const { lost, record } = await salvage()
    expect(await keysOf('images')).toEqual([keys[0], keys[1]])
    expect(lost).toEqual([3, 5, 6, 7].map((index) => rowKey(shard, index)))
    expect(record).toMatchObject({ in: 8, out: 2, rejected: { robots: 2, damaged: 4 } })
  })

  it('is refused where whole gold has other rows', async () => {
    const goldKeys = [keys[0]!, keys[1]!, keys[3]!, 'other']
    await breakPicture(await made({ hasGold: true, goldKeys }), image(1))
    await expect(salvage()).rejects.toThrow(
      /2 rows of phrases "gold" beside 3 pictures: remove the shard's record/,
    )
  })
})

describe('a shard of whole pictures', () => {
  it('without one of its other files has its pictures as they are', async () => {
    const before = await made({ hasGold: true })
    await breakAll(pathOf(before, 'grounding'))
    await rm(pathOf(before, 'rejects'))
    const saved = await salvage()
    expect(saved).toMatchObject({
      ...{ lost: [keys[2], keys[4]], left: ['grounding'] },
      aside: [`${before.files.grounding!.path}.damaged`],
    })
    expect(saved.record.files.images).toEqual(before.files.images)
    expect(saved.record.rejected).toEqual({ damaged: 2 })
    expect(Object.keys(saved.record.files).sort()).toEqual(['images', 'negatives', 'phrases', 'rejects'])
    expect((await rowsOf('rejects')).map(({ url }) => url)).toEqual([null, null])
  })

  it('keeps the rejects that it has where gold is lost', async () => {
    const before = await made({ hasGold: true })
    await breakAll(pathOf(before, 'negatives'))
    const { record, lost, left } = await salvage()
    expect([lost, left]).toEqual([[], ['negatives']])
    expect(record.files.rejects).toEqual(before.files.rejects)
    expect(record.rejected).toEqual({ robots: 2 })
  })

  it('without pictures has nothing to be saved', async () => {
    const before = await made()
    await rm(pathOf(before, 'images'))
    expect(await salvage()).toBeUndefined()
  })

  it('of none at all, and lost rejects, has those again', async () => {
    const before = await made({ rows: [] })
    await rm(pathOf(before, 'rejects'))
    expect(await salvage()).toMatchObject({
      lost: [keys[0], keys[1]],
      record: { out: 0, rejected: { damaged: 2 } },
    })
  })

  it('keeps of damaged rejects those of its own rows whose reason was counted, each once', async () => {
    const before = await made({ changes: { in: 7, rejected: { robots: 2, http_404: 1 } } })
    const [third, fifth] = [reject(2), reject(4)]
    const rows = [
      ...[
        { ...third, key: keys[0]! },
        { ...third, key: '000009999' },
        { ...third, key: null },
      ],
      ...[{ ...third, reason: 'other' }, { ...third, url: null }, third, fifth],
      { ...fifth, key: rowKey(shard, 6) },
    ]
    await writeRows(pathOf(before, 'rejects'), 'rejects', rows)
    const { lost, record, aside } = await salvage()
    // Of three with "robots" the record counts two.
    expect(lost).toEqual([rowKey(shard, 6)])
    expect(record.rejected).toEqual({ robots: 2, damaged: 1 })
    expect(aside).toEqual([])
    const found = (await rowsOf('rejects')) as { key: string; url: string | null; reason: string }[]
    expect(found.map(({ key, url, reason }) => [key, url, reason])).toEqual([
      [keys[2], null, 'robots'],
      [keys[4], fifth.url, 'robots'],
      [rowKey(shard, 6), null, 'damaged'],
    ])
  })

  it('one of whose files is empty loses what was in that', async () => {
    const before = await made({ hasGold: true })
    for (const family of ['rejects', 'phrases'] as const) await writeFile(pathOf(before, family), '')
    const { lost, left } = await salvage()
    expect([lost, left]).toEqual([[keys[2], keys[4]], ['phrases']])
    await writeFile(pathOf((await main()).record, 'images'), 'PA')
    expect(await salvage()).toBeUndefined()
  })
})

it('a damaged file is put aside beside itself', async () => {
  await storage.write('images/a.parquet', 'abc')
  expect(await putAside({ storage }, 'images/a.parquet')).toBe('images/a.parquet.damaged')
  expect(String(await storage.read('images/a.parquet.damaged'))).toBe('abc')
  const stopped = { storage, signal: AbortSignal.abort() }
  await expect(putAside(stopped, 'images/a.parquet')).rejects.toThrow(/abort/i)
})

describe('rows of a damaged file', () => {
  async function written(count = 3) {
    const rows = Array.from({ length: count }, (_, index) => image(index, { license: 'CC0' }))
    const path = storage.path('images.parquet')
    await writeRows(path, 'images', rows)
    const { footer, close } = await openParquet(path)
    await close()
    const chunkOf = (name: string) => footer.groups[0]!.chunks.filter(({ path: [first] }) => first === name)
    return { path, rows, chunkOf, chunks: footer.groups[0]!.chunks }
  }
  const read = async (path: string, rows = 3, family: Family = 'images') => {
    const found = []
    for await (const row of damagedRows(path, family, { rows })) found.push(row)
    return found
  }
  const breakChunks = (path: string, chunks: readonly { start: number; end: number }[]) =>
    change(path, (bytes) => {
      for (const { start, end } of chunks) bytes.fill(0xff, start, end)
      return undefined
    })

  it('are all that is there, with where it lies', async () => {
    const { path, rows, chunks } = await written()
    const found = await read(path)
    const beside = chunks.filter(({ path: [name] }) => name !== 'image')
    const bytes = await readFile(path)
    for (const [index, { row, picture, others }] of found.entries()) {
      expect({ ...row, image: undefined }).toEqual({ ...rows[index], image: undefined })
      expect(Buffer.from((row as unknown as ImageRow).image.bytes)).toEqual(
        Buffer.from(rows[index]!.image.bytes),
      )
      expect((row.image as ImageRow['image']).path).toBeNull()
      expect(picture?.at).toBe(bytes.indexOf(rows[index]!.image.bytes))
      expect(others).toEqual({
        start: Math.min(...beside.map(({ start }) => start)),
        end: Math.max(...beside.map(({ end }) => end)),
      })
    }
    expect(found).toHaveLength(3)
    await cutFooter(path)
    expect(await read(path)).toEqual(found)
  })

  it('are without captions or license where those are broken, and not at all without a key', async () => {
    for (const [name, value] of [
      ['captions', []],
      ['license', null],
    ] as const) {
      const { path, rows, chunkOf } = await written()
      await breakChunks(path, chunkOf(name))
      const found = await read(path)
      expect(found.map(({ row }) => row[name])).toEqual([value, value, value])
      expect(found.map(({ row }) => row.key)).toEqual(rows.map(({ key }) => key))
      expect(found.map(({ row }) => row.width)).toEqual([4, 4, 4])
    }
    for (const name of ['key', 'url', 'meta']) {
      const { path, chunkOf } = await written()
      await breakChunks(path, chunkOf(name))
      expect(await read(path)).toEqual([])
    }
  })

  it('are without the picture where that is broken', async () => {
    const { path, chunkOf } = await written()
    await breakChunks(path, chunkOf('image'))
    const found = await read(path)
    expect(found.map(({ picture, row }) => [picture, 'image' in row, row.key])).toEqual(
      [0, 1, 2].map((index) => [undefined, false, keys[index]]),
    )
  })

  it('are read by the footer where fewer pages were found than rows are expected', async () => {
    const { path } = await written()
    expect(await read(path, 5)).toHaveLength(3)
    await cutFooter(path)
    expect(await read(path, 5)).toHaveLength(3)
    await breakAll(path)
    expect(await read(path)).toEqual([])
    await writeFile(path, '')
    expect(await read(path)).toEqual([])
  })

  it('of other families have no pictures', async () => {
    await made({ hasGold: true })
    const record = (await main()).record
    const found = await read(pathOf(record, 'phrases'), 4, 'phrases')
    expect(found.map(({ row, picture }) => [row.key, picture, 'image' in row])).toEqual(
      [0, 1, 3, 5].map((index) => [keys[index], undefined, false]),
    )
  })
})
