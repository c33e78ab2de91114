import { createHash } from 'node:crypto'
import { openParquet } from '../parquet/open-parquet.js'
import { readRows } from '../parquet/read-rows.js'
import { filePath, recordPath } from '../rows/family-path.js'
import { rowKey } from '../rows/row-key.js'
import { rowStats } from '../statistics/row-stats.js'
import { readParts } from '../storage/hash-object.js'
import { openObject } from '../storage/open-storage.js'
import type { Version } from '../storage/storage.js'
import { blockSums } from './block-sums.js'
import { type CommitRecord, recordVersion, textOf } from './commit.js'
import { unnamed, withShardLock } from './commit-shard.js'
import { keptImages, keysOf, type Work } from './kept-rows.js'
import { damagedInput, damagedReason, lostRow } from './salvage-shard.js'
import { ShardFiles } from './shard-files.js'
import type { ShardFile } from './write-shard.js'

/** What a record says in the place of a configuration's hash where nobody knows how its pictures were made. */
export const unknownConfig = 'unknown'

/**
 * Writes the record of a shard of pictures anew where its own cannot be read, of the shard's file that has the
 * SHA-256 of its name. How the pictures were made only the old one knew: the next run holds each against its
 * source, asks again for what it cannot show to be what it would make now, and leaves all as it is where
 * fewer would come of that. Rows between the pictures become rejects, `damaged`; captions and boxes beside the
 * pictures are made anew by the next run.
 *
 * @param version of the record that cannot be read
 * @returns undefined where there is no such file, and where the record is another by now
 */
export async function restoreRecord(place: Work, version: Version): Promise<CommitRecord | undefined> {
  const { storage, stage, shard } = place
  const found = await wholeFile(place)
  if (!found) return undefined
  const { file, last } = found
  const before = { shard, files: { images: file }, in: last + 1 } as unknown as CommitRecord
  const stats = rowStats('images')
  const files = new ShardFiles(place)
  try {
    const images = await keptImages(place, before, new Map([['images', file]]), files, stats)
    // Keys in another order, or twice, are not those of a shard of ingest.
    if (images?.kept.size !== file.rows) return undefined
    const lost = keysOf(before).filter((key) => !images.kept.has(key))
    const rejects = await files.write(
      'rejects',
      lost.map((key) => lostRow(key, null)),
    )
    const record: CommitRecord = {
      ...{ version: recordVersion, stage, family: 'images', main: 'images', shard },
      ...{
        configHash: unknownConfig,
        inputs: { [damagedInput]: file.sha256 },
        files: { images: file, rejects },
      },
      ...{ unit: 'pairs', in: before.in, out: images.kept.size },
      rejected: lost.length > 0 ? { [damagedReason]: lost.length } : {},
      ...{ stats: stats.build(), seconds: 0, createdAt: new Date().toISOString() },
    }
    const isWritten = await withShardLock(place, 'images', async (held) => {
      await files.place([rejects.path], { onlyMissing: false })
      return (
        !held.mayBeLost() && (await storage.swap(recordPath('images', null, shard), textOf(record), version))
      )
    })
    return isWritten ? record : undefined
  } finally {
    await files.discard()
  }
}

/** No shard has more rows: the keys of all are in memory. */
const mostRows = 1_000_000

/** How many rows a file has, and the place in its shard of the last. */
async function rowsOf(
  path: string,
  shard: string,
): Promise<{ readonly rows: number; readonly last: number }> {
  let [rows, last] = [0, -1]
  const opened = await openParquet(path)
  try {
    for await (const { key } of readRows(opened, { columns: ['key'] })) {
      rows++
      last = Number(String(key).slice(shard.length))
      if (rowKey(shard, last) !== key) throw new Error(`${path} has a key of no shard`)
    }
  } finally {
    await opened.close()
  }
  return { rows, last }
}

/** The file of pictures that is what its name says, the one with most rows, and the place of its last row. */
async function wholeFile(
  place: Work,
): Promise<{ readonly file: ShardFile; readonly last: number } | undefined> {
  const { storage, shard, signal } = place
  let best: { readonly file: ShardFile; readonly last: number } | undefined
  for (const path of await unnamed(place, undefined, ['images'])) {
    if (!path.endsWith('.parquet')) continue
    const [sha256, sums] = [createHash('sha256'), blockSums()]
    const object = await openObject(storage.path(path))
    try {
      for await (const part of readParts(object, signal)) {
        sha256.update(part)
        sums.add(part)
      }
    } finally {
      await object.close()
    }
    const hash = sha256.digest('hex')
    if (filePath('images', null, shard, hash) !== path) continue
    // A stranger's file may have any name.
    const { rows, last } = await rowsOf(storage.path(path), shard).catch(() => ({
      rows: 0,
      last: Number.NaN,
    }))
    if (!(last < mostRows)) continue
    const blocks = sums.end(object.size)
    const file = { path, rows, bytes: object.size, sha256: hash, ...(blocks !== undefined && { blocks }) }
    if (rows > (best?.file.rows ?? 0)) best = { file, last }
  }
  return best
}
