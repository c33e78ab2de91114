import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../src/base/user-error.js'
import type { ImageRow, ProposalRow } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { ShardRows } from '../../src/shards/shard-rows.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'
import { putShard } from '../helpers/put-shard.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const rows = 1300
let storage: Storage
const images: Pick<ImageRow, 'key' | 'image' | 'captions'>[] = []
const proposals: ProposalRow[] = []

beforeAll(async () => {
  storage = openStorage(join(await temporaryFolder(), 'ds'))
  const written = Array.from({ length: rows }, (_, at): ImageRow => {
    const captions = Array.from({ length: at % 3 }, (_, n) => ({
      text: `caption ${n} of ${at}`,
      kind: 'web' as const,
    }))
    const bytes = Uint8Array.from({ length: 3000 + at }, (_, n) => (n * 7 + at) % 251)
    return {
      ...{ key: String(at), image: { bytes, path: null }, width: 1, height: 1, captions },
      ...{ url: null, sha256: '', phash: '', license: null, meta: null },
    }
  })
  await putShard(storage, 'images', null, '00000', written)
  const found = written.map(({ key }, at) => ({
    ...{ key, teacher: 'toy' },
    proposals: Array.from({ length: at % 5 }, (_, n) => ({
      ...{ phrase: n, xyxy: [at, n, at + 1, n + 1] as const, score: 0.5, label: null },
    })),
  }))
  await putShard(storage, 'proposals', 'label', '00000', found)
  const columns = ['key', 'image', 'captions'] as const
  for await (const { image, ...row } of readShard(storage, 'images', null, '00000', { columns }))
    images.push({ ...row, image: { ...image, bytes: image.bytes.slice() } })
  for await (const row of readShard(storage, 'proposals', 'label', '00000')) proposals.push(row)
})

describe('ShardRows', () => {
  it('reads any rows as they are read in a stream, within a row group and across them', async () => {
    const reader = new ShardRows(storage)
    const place = fc.integer({ min: 0, max: rows + 20 })
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 0, max: 600 }), async (start, count) => {
        const range = { start, end: start + count }
        const columns = ['key', 'image', 'captions'] as const
        const some = await reader.read('images', null, '00000', { ...range, columns })
        expect(some.map(({ key }) => key)).toEqual(images.slice(start, start + count).map(({ key }) => key))
        for (const [at, row] of some.entries()) {
          const { image, captions } = images[start + at]
          expect(row.captions).toEqual(captions)
          expect(Buffer.compare(row.image.bytes, image.bytes)).toBe(0)
        }
        const boxes = await reader.read('proposals', 'label', '00000', {
          ...range,
          columns: ['key', 'proposals'],
        })
        const expected = proposals.slice(start, start + count)
        expect(boxes).toEqual(expected.map(({ key, proposals: own }) => ({ key, proposals: own })))
      }),
      { numRuns: 60 },
    )
    await reader.close()
  })

  it.skipIf(process.platform !== 'linux')('lets go of its files', async () => {
    const reader = new ShardRows(storage)
    await reader.read('images', null, '00000', { start: 0, end: 1, columns: ['key'] })
    expect(await openFiles()).toBe(1)
    await reader.close()
    expect(await openFiles()).toBe(0)
  })

  it.skipIf(process.platform !== 'linux')(
    'holds few files open, and none is closed while it is read',
    async () => {
      const names = Array.from({ length: 60 }, (_, at) => `1${String(at).padStart(4, '0')}`)
      for (const name of names)
        await putShard(storage, 'proposals', 'many', name, [{ key: name, teacher: 'toy', proposals: [] }])
      const reader = new ShardRows(storage)
      const keyOf = async (name: string) => {
        const range = { start: 0, end: 1, columns: ['key'] as const }
        return (await reader.read('proposals', 'many', name, range))[0]?.key
      }
      expect(await Promise.all(names.map(keyOf))).toEqual(names)
      expect(await Promise.all(names.map(keyOf))).toEqual(names)
      await expect.poll(openFiles).toBe(48)
      await reader.close()
      expect(await openFiles()).toBe(0)
    },
  )

  it('says what is missing', async () => {
    const reader = new ShardRows(storage)
    const read = reader.read('images', null, '00009', { start: 0, end: 1, columns: ['key'] })
    await expect(read).rejects.toThrow(UserError)
    await reader.close()
  })
})

/** Files of the dataset that this process has open. */
async function openFiles(): Promise<number> {
  const links = await Promise.all(
    (await readdir('/proc/self/fd')).map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  )
  return links.filter((path) => path.startsWith(storage.path(''))).length
}
