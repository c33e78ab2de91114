/**
 * As `parquet_rate.py`, which says what is timed: parquet-rate.ts IN OUT RUNS prints seconds of every run as JSON.
 */
import { open } from 'node:fs/promises'
import { writeChunks } from '../../src/base/files/write-pieces.js'
import { hfNullable, hfSchema } from '../../src/export/format-hf.js'
import { GroupMemory } from '../../src/parquet/group-memory.js'
import { openParquet } from '../../src/parquet/open-parquet.js'
import { parquetChunks } from '../../src/parquet/parquet-chunks.js'
import { readRows } from '../../src/parquet/read-rows.js'

const [source = '', target = '', runs = '5'] = process.argv.slice(2)
const rows: Record<string, unknown>[] = []

/** Looks at every row of the file, as an object. */
async function read(look: (row: Record<string, unknown>) => void, memory?: GroupMemory) {
  const file = await openParquet(source)
  for await (const row of readRows(file, { memory })) look(row)
  await file.close()
}

/** Written and not flushed, as pyarrow does. */
async function write() {
  const file = await open(target, 'w')
  await writeChunks(file, parquetChunks(hfSchema, hfNullable, rows))
  await file.close()
}

/** The first two are not counted: memory and files are there from then on. */
async function secondsOf(work: () => Promise<unknown>): Promise<number[]> {
  const seconds: number[] = []
  for (let run = 0; run < Number(runs) + 2; run++) {
    const from = performance.now()
    await work()
    seconds.push((performance.now() - from) / 1000)
  }
  return seconds.slice(2)
}

let bytes = 0
const look = (row: Record<string, unknown>) => {
  bytes += (row.image as { readonly bytes: Uint8Array }).bytes.length
}
const readSeconds = await secondsOf(() => read(look))
const memory = new GroupMemory()
const againSeconds = await secondsOf(() => read(look, memory))
await read((row) => rows.push(row))
const writeSeconds = await secondsOf(write)
if (bytes === 0) throw new Error(`${source} has no pictures`)
process.stdout.write(
  JSON.stringify({ read: readSeconds, 'read into memory used again': againSeconds, write: writeSeconds }),
)
