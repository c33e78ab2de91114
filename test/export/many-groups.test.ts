import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { readRows } from '../../src/parquet/read-rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { exportTo, groundedDataset, type PictureSpec } from '../helpers/grounded-dataset.js'
import { temporaryFolder } from '../helpers/temporary-folder.js'

const folder = await temporaryFolder()
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Two shards of three row groups; every third picture has no region and is left out. */
const pictures = Array.from({ length: 1100 }, (_, index): PictureSpec => {
  const region = { caption: 0, start: 0, end: 3, xyxy: [1, 1, 5, 5] as const, score: 1, origin: 'gold' }
  return { captions: [{ text: 'dog', kind: 'gold' }], regions: index % 3 === 2 ? [] : [region] }
})

describe('Pictures of many row groups, read into memory that is used again,', async () => {
  const source = await groundedDataset(join(folder, 'dataset'), [pictures, pictures])
  const expected: string[] = []
  for (const shard of source.shards) {
    const hashes: string[] = []
    for await (const row of readShard(source.storage, 'images', null, shard)) hashes.push(row.sha256)
    expected.push(...hashes.filter((_, index) => index % 3 !== 2))
  }

  it('are those of the dataset in hf', async () => {
    await exportTo(source, join(folder, 'hf'), { format: 'hf' })
    const found: string[] = []
    for (const name of (await readdir(join(folder, 'hf/data'))).sort()) {
      const opened = await openParquet(join(folder, 'hf/data', name))
      for await (const { image } of readRows(opened))
        found.push(sha256((image as { bytes: Uint8Array }).bytes))
      await opened.close()
    }
    expect(found).toEqual(expected)
  })

  it('are those of the dataset in webdataset', async () => {
    await exportTo(source, join(folder, 'webdataset'), { format: 'webdataset' })
    const found: string[] = []
    for (const shard of source.shards) {
      const tar = await readFile(join(folder, 'webdataset', `${shard}.tar`))
      for (let at = 0; tar[at] !== 0; ) {
        const name = tar.toString('utf8', at, tar.indexOf(0, at))
        const size = Number.parseInt(tar.toString('latin1', at + 124, at + 135), 8)
        if (!/\.(json|txt)$/.test(name)) found.push(sha256(tar.subarray(at + 512, at + 512 + size)))
        at += 512 + Math.ceil(size / 512) * 512
      }
    }
    expect(found).toEqual(expected)
  })

  it('are those of the dataset in files', async () => {
    await exportTo(source, join(folder, 'csv'), { format: 'csv' })
    const found: string[] = []
    for (const shard of source.shards) {
      const files = join(folder, 'csv/images', shard)
      for (const name of (await readdir(files)).sort()) found.push(sha256(await readFile(join(files, name))))
    }
    expect(found).toEqual(expected)
  })
})
