import { type RecordBatch, type Schema, Table, tableToIPC } from 'apache-arrow'
import * as parquet from 'parquet-wasm'
import { ipcBytes } from './ipc-bytes.js'
import { recordBatch } from './record-batch.js'
import { createScratch, type Scratch } from './scratch.js'

/** A row group is held in memory while it is written, and is the least that a reader fetches. */
const groupRows = 500
const groupBytes = 16 * 1024 * 1024

/** The writer cuts groups by the mean size of the rows it has: rows come to it in parts of a group. */
const batchRows = 100
const batchBytes = groupBytes / 4

/**
 * A Parquet file of rows whose columns are those of a schema, in pieces. The same rows give the same bytes.
 *
 * @param nullable paths of the columns that may be null, as `recordBatch` takes them
 * @param counter is told how many rows have been taken
 * @throws whatever `rows` throws, and TypeError naming the column where a row is not of the schema; what was given until
 *   then is no Parquet file
 */
export async function* parquetChunks(
  schema: Schema,
  nullable: ReadonlySet<string>,
  rows: Iterable<object> | AsyncIterable<object>,
  counter: { rows: number } = { rows: 0 },
): AsyncGenerator<Uint8Array> {
  // A batch is copied to parquet-wasm before the next one is asked for.
  const scratch = createScratch()
  const batches = batchesOf(schema, nullable, rows)
  const first = await batches.next()
  if (first.done) {
    // parquet-wasm cannot make a schema out of an empty stream.
    const table = parquet.Table.fromIPCStream(
      tableToIPC(new Table(recordBatch(schema, nullable, [])), 'stream'),
    )
    yield parquet.writeParquet(table, writerProperties(schema))
    return
  }
  // parquet-wasm closes a valid but short file where its source fails: the error is kept, to be thrown at the end.
  let failure: { readonly error: unknown } | undefined
  let pending: IteratorResult<RecordBatch, void> = first
  const source = new ReadableStream<parquet.RecordBatch>({
    async pull(controller) {
      try {
        if (pending.done) {
          controller.close()
          return
        }
        counter.rows += pending.value.numRows
        for (const batch of wasmBatches(pending.value, scratch)) controller.enqueue(batch)
        pending = await batches.next()
      } catch (error) {
        failure = { error }
        controller.error(error)
      }
    },
  })
  try {
    const out = await parquet.transformParquetStream(source, writerProperties(schema))
    for await (const chunk of out as unknown as AsyncIterable<Uint8Array>) yield chunk
  } finally {
    // Where writing failed, the rows' own source is told to let go of what it holds.
    await batches.return()
  }
  if (failure) throw failure.error
}

/** Cuts rows into batches of bounded rows and bytes. */
async function* batchesOf(
  schema: Schema,
  nullable: ReadonlySet<string>,
  rows: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<RecordBatch, void, void> {
  // Only one column of bytes may have it.
  const scratch = createScratch()
  let batch: Record<string, unknown>[] = []
  let bytes = 0
  for await (const row of rows) {
    batch.push(row as Record<string, unknown>)
    bytes += sizeOf(row)
    if (batch.length < batchRows && bytes < batchBytes) continue
    yield recordBatch(schema, nullable, batch, scratch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield recordBatch(schema, nullable, batch, scratch)
}

/** About how many bytes a value takes. */
function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array || typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 4
  let bytes = 0
  for (const part of Object.values(value)) bytes += sizeOf(part)
  return bytes
}

function wasmBatches(batch: RecordBatch, scratch: Scratch): parquet.RecordBatch[] {
  const table = parquet.Table.fromIPCStream(ipcBytes(batch, scratch))
  try {
    return table.recordBatches()
  } finally {
    // The batches stay; a table left to the garbage collector would hold its memory long after they are written.
    table.free()
  }
}

/**
 * Pictures do not compress and are all different: their bytes are stored as they are, without dictionary or
 * statistics. parquet-wasm has no name for a column within a struct, so in a schema with pictures this is the default,
 * and the plain columns are the exceptions.
 */
function writerProperties(schema: Schema): parquet.WriterProperties {
  let builder = new parquet.WriterPropertiesBuilder()
    .setMaxRowGroupSize(groupRows)
    .setMaxRowGroupBytes(groupBytes)
    .setCreatedBy('groundmill')
    // Besides the Arrow schema, where readers that know only Parquet's own metadata find it.
    .setKeyValueMetadata(schema.metadata)
  if (!schema.fields.some(({ name }) => name === 'image')) {
    return builder.setCompression(parquet.Compression.ZSTD).build()
  }
  builder = builder
    .setCompression(parquet.Compression.UNCOMPRESSED)
    .setDictionaryEnabled(false)
    .setStatisticsEnabled(parquet.EnabledStatistics.None)
  for (const { name, type } of schema.fields) {
    if (type.children?.length) continue
    builder = builder
      .setColumnCompression(name, parquet.Compression.ZSTD)
      .setColumnDictionaryEnabled(name, true)
      .setColumnStatisticsEnabled(name, parquet.EnabledStatistics.Chunk)
  }
  return builder.build()
}
