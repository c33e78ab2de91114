import { createHash } from 'node:crypto'
import { openParquet } from '../parquet/open-parquet.js'
import { parquetChunks } from '../parquet/parquet-chunks.js'
import { arrowSchema, nullable } from '../rows/arrow-schema.js'
import { familyPath } from '../rows/family-path.js'
import type { Families, Family } from '../rows/rows.js'
import type { Storage } from '../storage/storage.js'

export interface ShardFile {
  /** Name of the object below the dataset. */
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/**
 * Streams rows into a shard's Parquet file, which appears whole or not at all. The same rows give the same
 * bytes.
 *
 * @param beforeVisible what must be done between the last byte and the instant that the file appears
 * @throws whatever `rows` throws, and TypeError naming the column where a row is not of the family; then
 * there is no file
 */
export async function writeShard<F extends Family>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
  beforeVisible?: () => Promise<void>,
): Promise<ShardFile> {
  const path = familyPath(family, stage, shard, 'parquet')
  const hash = createHash('sha256')
  const counter = { rows: 0 }
  let bytes = 0
  async function* chunks() {
    for await (const chunk of parquetChunks(arrowSchema(family), nullable[family], rows, counter)) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  await storage.writeStream(path, chunks(), async (file) => {
    const written = await openParquet(file)
    await written.close()
    if (written.rows !== counter.rows) {
      throw new Error(`${path}: ${written.rows} of ${counter.rows} rows were written`)
    }
    await beforeVisible?.()
  })
  return { path, rows: counter.rows, bytes, sha256: hash.digest('hex') }
}
