import { type RecordBatch, type Schema, Table, tableToIPC } from 'apache-arrow'
import * as parquet from 'parquet-wasm'
import { ipcBytes } from './ipc-bytes.js'
import { besidePictures, type Picture, pictureFile } from './picture-chunks.js'
import { recordBatch } from './record-batch.js'
import { createScratch, type Scratch } from './scratch.js'

/** A row group is held in memory while it is written, and is the least that a reader fetches. */
const groupRows = 500
const groupBytes = 16 * 1024 * 1024

/** The writer cuts groups by the mean size of the rows it has: rows come to it in parts of a group. */
const batchRows = 100
const batchBytes = groupBytes / 4

/**
 * A column's dictionary ends here, and what comes after is plain. Names and words have less, those of LVIS' categories
 * too; coordinates and scores have a value of their own each, and would be looked up for nothing.
 */
const dictionaryBytes = 32 * 1024

/**
 * A Parquet file of rows whose columns are those of a schema, in pieces, some of which may be views of the
 * rows' own bytes. The same rows give the same bytes.
 *
 * @param nullable paths of the columns that may be null, as `recordBatch` takes them
 * @param counter is told how many rows have been taken
 * @throws whatever `rows` throws, and TypeError naming the column where a row is not of the schema; what was
 * given until then is no Parquet file
 */
export function parquetChunks(
  schema: Schema,
  nullable: ReadonlySet<string>,
  rows: Iterable<object> | AsyncIterable<object>,
  counter: { rows: number } = { rows: 0 },
): AsyncGenerator<Uint8Array> {
  const hasPictures = schema.fields.some(({ name }) => name === 'image')
  return (hasPictures ? chunksWithPictures : plainChunks)(schema, nullable, rows, counter)
}

/** Row groups of whole rows: all but the pictures is made by parquet-wasm, a file a group. */
async function* chunksWithPictures(
  schema: Schema,
  nullable: ReadonlySet<string>,
  rows: Iterable<object> | AsyncIterable<object>,
  counter: { rows: number },
): AsyncGenerator<Uint8Array> {
  const scratch = createScratch()
  const beside = besidePictures(schema)
  const fileOf = (of: Schema, batch: readonly Row[]) =>
    parquet.writeParquet(
      parquet.Table.fromIPCStream(ipcBytes(recordBatch(of, nullable, batch), scratch)),
      writerProperties(of, 2 ** 31),
    )
  // With a row that is not there, since an empty stream has no schema.
  const file = pictureFile(schema, fileOf(schema, []))
  yield file.begin()
  for await (const batch of groupsOf(rows)) {
    const pictures = batch.map((row, index) => checkPicture(row.image, index, nullable))
    counter.rows += batch.length
    yield* file.group(pictures, fileOf(beside, batch))
  }
  yield* file.end()
}

type Row = Readonly<Record<string, unknown>>

/** A row's picture. Throws a TypeError naming the column, as `recordBatch` does. */
function checkPicture(image: unknown, index: number, nullable: ReadonlySet<string>): Picture {
  const { bytes = null, path = null } = (image ?? {}) as Partial<Picture>
  const wrong = (column: string, value: unknown, expected: string) =>
    new TypeError(`column ${column}, value ${index}: expected ${expected}, got ${String(value)}`)
  if (!image || typeof image !== 'object') throw wrong('image', image, 'an object')
  if (!(bytes instanceof Uint8Array) && !(bytes === null && nullable.has('image.bytes')))
    throw wrong('image.bytes', bytes, 'bytes')
  if (typeof path !== 'string' && !(path === null && nullable.has('image.path')))
    throw wrong('image.path', path, 'a string')
  return { bytes, path }
}

/** Cuts rows into row groups of bounded rows and bytes. */
async function* groupsOf(
  rows: Iterable<object> | AsyncIterable<object>,
): AsyncGenerator<readonly Row[], void, void> {
  let group: Row[] = []
  let bytes = 0
  for await (const row of rows) {
    const size = sizeOf(row)
    if (group.length === groupRows || (group.length > 0 && bytes + size > groupBytes)) {
      yield group
      group = []
      bytes = 0
    }
    group.push(row as Row)
    bytes += size
  }
  if (group.length > 0) yield group
}

async function* plainChunks(
  schema: Schema,
  nullable: ReadonlySet<string>,
  rows: Iterable<object> | AsyncIterable<object>,
  counter: { rows: number },
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
    yield parquet.writeParquet(table, writerProperties(schema, groupBytes))
    return
  }
  // parquet-wasm closes a valid but short file where its source fails: the error is kept, to be thrown at the
  // end.
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
    const out = await parquet.transformParquetStream(source, writerProperties(schema, groupBytes))
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
  let batch: Record<string, unknown>[] = []
  let bytes = 0
  for await (const row of rows) {
    batch.push(row as Record<string, unknown>)
    bytes += sizeOf(row)
    if (batch.length < batchRows && bytes < batchBytes) continue
    yield recordBatch(schema, nullable, batch)
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield recordBatch(schema, nullable, batch)
}

/** About how many bytes a value takes. */
function sizeOf(value: unknown): number {
  if (value instanceof Uint8Array || typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 4
  // Where one is a number, all are.
  if (Array.isArray(value) && typeof value[0] === 'number') return 4 * value.length
  let bytes = 0
  if (!Array.isArray(value)) {
    // Unlike a list of its values, or an iterator, this takes no memory.
    for (const name in value) bytes += sizeOf((value as Row)[name])
    return bytes
  }
  const step = isOfBoxes(value) ? Math.ceil(value.length / sizedItems) : 1
  for (let at = 0; at < value.length; at += step) bytes += step * sizeOf(value[at])
  return bytes
}

/** Of how many boxes of a list it is asked how large they are. */
const sizedItems = 8

/** Whether its items have lists of numbers: they are about as large as one another, which texts need not be. */
function isOfBoxes([first]: readonly unknown[]): boolean {
  if (typeof first !== 'object' || first === null) return false
  for (const name in first) {
    const member = (first as Row)[name]
    if (Array.isArray(member) && typeof member[0] === 'number') return true
  }
  return false
}

function wasmBatches(batch: RecordBatch, scratch: Scratch): parquet.RecordBatch[] {
  const table = parquet.Table.fromIPCStream(ipcBytes(batch, scratch))
  try {
    return table.recordBatches()
  } finally {
    // The batches stay; a table left to the garbage collector would hold its memory long after they are
    // written.
    table.free()
  }
}

/** @param mostBytes of a row group */
function writerProperties(schema: Schema, mostBytes: number): parquet.WriterProperties {
  return (
    new parquet.WriterPropertiesBuilder()
      .setMaxRowGroupSize(groupRows)
      .setMaxRowGroupBytes(mostBytes)
      .setCreatedBy('groundmill')
      // Besides the Arrow schema, where readers that know only Parquet's own metadata find it.
      .setKeyValueMetadata(schema.metadata)
      .setCompression(parquet.Compression.ZSTD)
      .setDictionaryPageSizeLimit(dictionaryBytes)
      .build()
  )
}
