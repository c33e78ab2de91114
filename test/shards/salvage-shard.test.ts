import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/base/hash.js'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { rowKey } from '../../src/rows/row-key.js'
import type { ImageRow, RejectRow } from '../../src/rows/rows.js'
import { blockSums, wholeRanges } from '../../src/shards/block-sums.js'
import { readMain } from '../../src/shards/commit-shard.js'
import { readShard } from '../../src/shards/read-shard.js'
import { type Salvaged, salvageShard } from '../../src/shards/salvage-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const shard = '00000'
const bytesOf = (index: number) =>
  Uint8Array.from({ length: 40 }, (_, at) => (at * 31 + index * 7 + (index >> 8)) & 255)

const image = (index: number): ImageRow => ({
  key: rowKey(shard, index),
  image: { bytes: bytesOf(index), path: null },
  width: 4,
  height: 3,
  captions: [{ text: `picture ${index}`, kind: 'web' }],
  url: `https://example.org/${index}.jpg`,
  sha256: hashBytes(bytesOf(index)),
  phash: '0123456789abcdef',
  license: null,
  meta: index % 2 ? null : '{"a":1}',
})

const reject = (index: number): RejectRow => ({
  key: rowKey(shard, index),
  url: `https://example.org/${index}.jpg`,
  reason: index % 2 ? 'http_404' : 'robots',
  detail: 'no',
})

let count = 0

/** A shard of so many pictures, every tenth row of which was rejected. */
async function shardOf(rows: number) {
  const storage = openStorage(join(folder, `dataset-${count++}`))
  const place = { storage, stage: 'web', shard }
  const isOut = (index: number) => index % 10 === 9
  const all = Array.from({ length: rows }, (_, index) => index)
  const rejects = all.filter(isOut).map(reject)
  const rejected: Record<string, number> = {}
  for (const { reason } of rejects) rejected[reason] = (rejected[reason] ?? 0) + 1
  const images = all.filter((index) => !isOut(index)).map(image)
  const { record } = await runShardTask(
    { ...place, configHash: 'x', inputs: { source: 'y' } },
    'images',
    async (write) => ({
      files: { images: await write('images', images), rejects: await write('rejects', rejects) },
      unit: 'pairs',
      in: rows,
      out: images.length,
      rejected,
      stats: emptyStats,
    }),
  )
  return {
    record,
    path: (family: 'images' | 'rejects') => storage.path(record.files[family]?.path as string),
    async salvage() {
      const made = await readMain(place, 'images')
      return (await salvageShard(place, made as NonNullable<typeof made>)) as Salvaged | undefined
    },
    async keys() {
      const found: string[] = []
      for await (const { key } of readShard(storage, 'images', null, shard)) found.push(key)
      return found
    },
  }
}

const change = async (path: string, work: (bytes: Buffer) => Buffer) =>
  writeFile(path, work(await readFile(path)))

describe('what is saved of a damaged shard', () => {
  it('is every row group before the place where it is cut', async () => {
    const one = await shardOf(700)
    const { footer, close } = await openParquet(one.path('images'))
    await close()
    const starts = footer.groups[1]?.chunks.map(({ start }) => start) ?? []
    await change(one.path('images'), (bytes) => bytes.subarray(0, Math.max(...starts)))
    const saved = await one.salvage()
    const keys = await one.keys()
    expect(keys).toHaveLength(500)
    expect(saved?.lost).toHaveLength(630 - 500)
    expect(saved?.record).toMatchObject({
      in: 700,
      out: 500,
      rejected: { damaged: 130, http_404: 70 },
      stats: { counts: { images: 500, captions: 500 } },
    })
    expect(saved?.record.inputs).toEqual({ source: 'y', damaged: one.record.files.images?.sha256 })
  })

  it('is what lies before a length that leads astray, and all of other groups', async () => {
    const one = await shardOf(700)
    const { footer, close } = await openParquet(one.path('images'))
    await close()
    // Behind the page's header and levels: 14 pictures of 40 bytes, then the next one's length.
    const start = footer.groups[0]?.chunks.find(({ path }) => path.includes('bytes'))?.start as number
    await change(one.path('images'), (bytes) => {
      const at = bytes.indexOf(bytesOf(15), start) - 4
      bytes.writeUInt32LE(2 ** 31, at)
      return bytes
    })
    const saved = await one.salvage()
    const keys = await one.keys()
    expect(keys.slice(0, 14)).toEqual(keys.slice(0, 14).sort())
    expect(keys).toHaveLength(14 + 130)
    expect(saved?.lost).toContain(rowKey(shard, 15))
    expect(saved?.aside).toEqual([`${one.record.files.images?.path}.damaged`])
  })

  it('is nothing where no picture can be shown to be whole', async () => {
    const one = await shardOf(20)
    await change(one.path('images'), (bytes) => bytes.subarray(0, 60))
    expect(await one.salvage()).toBeUndefined()
  })
})

describe('sums of blocks', () => {
  it('tell which ranges are what they were, in files of every size', () => {
    for (const size of [1000, 70_000, 5_000_000]) {
      const bytes = Buffer.alloc(size, 7)
      const sumsOf = (of: Uint8Array) => {
        const sums = blockSums()
        for (let at = 0; at < of.length; at += 3333) sums.add(of.subarray(at, at + 3333))
        return sums.end(size)
      }
      const before = sumsOf(bytes)
      expect(before?.length ?? 0).toBeLessThan(1400)
      const other = Buffer.from(bytes)
      other[40_000] = 6
      const isWhole = wholeRanges(before, sumsOf(other.subarray(0, size - 100)), size)
      expect(isWhole(0, 10)).toBe(size > 1000)
      if (size === 1000) continue
      expect(isWhole(39_990, 40_010)).toBe(false)
      expect(isWhole(0, size)).toBe(false)
      expect(isWhole(size - 50, size)).toBe(false)
      expect(isWhole(16_400, 30_000)).toBe(true)
    }
  })
})
