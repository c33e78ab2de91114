import { createHash } from 'node:crypto'
import { openParquet } from '../parquet/open-parquet.js'
import { filePath, recordPath } from '../rows/family-path.js'
import type { Families, Family } from '../rows/rows.js'
import type { Aside, Storage } from '../storage/storage.js'
import { blockSums } from './block-sums.js'

export interface ShardFile {
  /** Name of the object below the dataset. */
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  /** Of pictures: sums of its blocks (`blockSums`), which tell where a damaged file still is what it was. */
  readonly blocks?: string
}

/** A shard's file that is whole and not in place yet. */
export interface WrittenShard {
  readonly file: ShardFile
  readonly aside: Aside
}

/**
 * Streams rows into a Parquet file that is not seen until it is put in place, under the name that its content
 * gives (`file.path`). The same rows give the same bytes.
 *
 * @throws whatever `rows` throws, and TypeError naming the column where a row is not of the family; then
 * there is no file
 */
export async function writeShard<F extends Family>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
  onFailure?: () => void,
): Promise<WrittenShard> {
  const hash = createHash('sha256')
  const counter = { rows: 0 }
  const sums = family === 'images' ? blockSums() : undefined
  let bytes = 0
  async function* chunks() {
    // The writer is large, and most commands write no shard.
    const { parquetChunks } = await import('../parquet/parquet-chunks.js')
    const { arrowSchema, nullable } = await import('../rows/arrow-schema.js')
    for await (const chunk of parquetChunks(arrowSchema(family), nullable[family], rows, counter)) {
      hash.update(chunk)
      sums?.add(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  const aside = await storage.writeAside(asideOf(family, stage, shard), chunks(), onFailure)
  try {
    const written = await openParquet(aside.path)
    await written.close()
    if (written.rows !== counter.rows)
      throw new Error(`${family} of shard ${shard}: ${written.rows} of ${counter.rows} rows were written`)
  } catch (error) {
    await aside.discard()
    throw error
  }
  const sha256 = hash.digest('hex')
  const path = filePath(family, stage, shard, sha256)
  const blocks = sums?.end(bytes)
  return { file: { path, rows: counter.rows, bytes, sha256, ...(blocks && { blocks }) }, aside }
}

/** What of a shard's files is not in place lies beside this name. */
export const asideOf = (family: Family, stage: string | null, shard: string) =>
  recordPath(family, stage, shard).replace(/json$/, 'parquet')
