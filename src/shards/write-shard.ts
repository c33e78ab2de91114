import { createHash } from 'node:crypto'
import { type RecordBatch, Table, tableToIPC } from 'apache-arrow'
import * as parquet from 'parquet-wasm'
import { arrowSchema } from './arrow-schema.js'
import { familyPath } from './family-path.js'
import { recordBatch } from './record-batch.js'
import type { Families, Family } from './rows.js'
import type { Storage } from './storage.js'

export interface ShardFile {
  /** Name of the object below the dataset. */
  readonly path: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/** A row group is held in memory while it is written, and is the least that a reader fetches. */
const groupRows = 500
const groupBytes = 16 * 1024 * 1024

/**
 * Streams rows into a shard's Parquet file, which appears whole or not at all. The same rows give the same bytes.
 *
 * @throws whatever `rows` throws; then there is no file
 */
export async function writeShard<F extends Family>(
  storage: Storage,
  family: F,
  stage: string | null,
  shard: string,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
): Promise<ShardFile> {
  const path = familyPath(family, stage, shard, 'parquet')
  const hash = createHash('sha256')
  const counter = { rows: 0 }
  let bytes = 0
  async function* chunks() {
    for await (const chunk of parquetChunks(family, rows, counter)) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  await storage.writeStream(path, chunks())
  return { path, rows: counter.rows, bytes, sha256: hash.digest('hex') }
}

async function* parquetChunks<F extends Family>(
  family: F,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
  counter: { rows: number },
): AsyncGenerator<Uint8Array> {
  const schema = arrowSchema(family)
  const batches = batchesOf(family, rows)[Symbol.asyncIterator]()
  const first = await batches.next()
  if (first.done) {
    // parquet-wasm cannot make a schema out of an empty stream.
    yield parquet.writeParquet(wasmTable(recordBatch(schema, [])), writerProperties(family))
    return
  }
  // parquet-wasm closes a valid but short file where its source fails: the error is kept, to be thrown at the end.
  let failure: unknown
  let pending: IteratorResult<RecordBatch> = first
  const source = new ReadableStream<parquet.RecordBatch>({
    async pull(controller) {
      try {
        if (pending.done) {
          controller.close()
          return
        }
        counter.rows += pending.value.numRows
        for (const batch of wasmTable(pending.value).recordBatches()) controller.enqueue(batch)
        pending = await batches.next()
      } catch (error) {
        failure = error
        controller.error(error)
      }
    },
  })
  const out = await parquet.transformParquetStream(source, writerProperties(family))
  for await (const chunk of out as unknown as AsyncIterable<Uint8Array>) yield chunk
  if (failure !== undefined) throw failure
}

/** Cuts rows into batches of bounded rows and bytes; each becomes a row group. */
async function* batchesOf<F extends Family>(
  family: F,
  rows: Iterable<Families[F]> | AsyncIterable<Families[F]>,
): AsyncGenerator<RecordBatch> {
  const schema = arrowSchema(family)
  let group: Families[F][] = []
  let bytes = 0
  for await (const row of rows) {
    group.push(row)
    bytes += 'image' in row ? row.image.bytes.length : 0
    if (group.length < groupRows && bytes < groupBytes) continue
    yield recordBatch(schema, group as never)
    group = []
    bytes = 0
  }
  if (group.length > 0) yield recordBatch(schema, group as never)
}

function wasmTable(batch: RecordBatch): parquet.Table {
  return parquet.Table.fromIPCStream(tableToIPC(new Table(batch), 'stream'))
}

/** JPEG bytes do not compress and are all different: they are stored as they are, without statistics. */
function writerProperties(family: Family): parquet.WriterProperties {
  const builder = new parquet.WriterPropertiesBuilder()
    .setCompression(parquet.Compression.ZSTD)
    .setMaxRowGroupSize(groupRows)
    .setCreatedBy('groundmill')
    // Besides the Arrow schema, where readers that know only Parquet's own metadata find it.
    .setKeyValueMetadata(arrowSchema(family).metadata)
  if (family !== 'images') return builder.build()
  return builder
    .setColumnCompression('image.bytes', parquet.Compression.UNCOMPRESSED)
    .setColumnDictionaryEnabled('image.bytes', false)
    .setColumnStatisticsEnabled('image.bytes', parquet.EnabledStatistics.None)
    .build()
}
