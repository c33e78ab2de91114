/**
 * Exports of one dataset in every format, and Parquet against pyarrow on the same rows. The limit is a plain
 * copy of the bytes of the dataset's pictures, flushed to the disk as an export is.
 *
 *     npm run bench:export -- [--pictures 4000] [--kilobytes 50] [--runs 5] [--python python3] [--json]
 *
 * Without a Python that has pyarrow only our own rates are shown. Rates are medians.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatheredBytes, gatheredPieces, writePieces } from '../src/base/files/write-pieces.js'
import { random } from '../src/base/random.js'
import { exportConfig, exportFormats } from '../src/export/config.js'
import { exportDataset } from '../src/export/export-dataset.js'
import { hfNullable, hfSchema } from '../src/export/format-hf.js'
import { appendFile, openPartFile } from '../src/export/part-file.js'
import { openParquet } from '../src/parquet/open-parquet.js'
import { parquetChunks } from '../src/parquet/parquet-chunks.js'
import { readRows as readParquetRows } from '../src/parquet/read-rows.js'
import type { GroundingRow, ImageRow, PhraseRow } from '../src/rows/rows.js'
import { committedFile } from '../src/shards/committed-file.js'
import { createDataset } from '../src/shards/dataset.js'
import { runShardTask } from '../src/shards/shard-task.js'
import { openStorage } from '../src/storage/open-storage.js'
import { gatherFigures, median, option, printReport } from './report.js'

const count = Number(option('pictures', '4000'))
const bytesEach = 1000 * Number(option('kilobytes', '50'))
const runs = Number(option('runs', '5'))
const python = option('python', '')
const rowsAShard = 2000
const caption = 'a brown dog sleeps on a red sofa beside a small cat'
const spans = [
  [0, 11, 'dog'],
  [22, 32, 'sofa'],
  [40, 51, 'cat'],
] as const

const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
const storage = openStorage(join(folder, 'dataset'))
const shards = Array.from({ length: Math.ceil(count / rowsAShard) }, (_, at) => String(at).padStart(5, '0'))
const noise = randomBytes(bytesEach + 4096)
// What a JPEG begins with.
const start = [0xff, 0xd8, 0xff, 0xe0]

function picture(draw: () => number): Uint8Array {
  const from = Math.floor(draw() * 4096)
  const bytes = Uint8Array.prototype.slice.call(noise, from, from + bytesEach)
  bytes.set(start)
  return bytes
}

async function makeShard(shard: string) {
  const draw = random(shard, 'export bench')
  const keys = Array.from({ length: rowsAShard }, (_, row) => shard + String(row).padStart(4, '0'))
  const images = keys.map((key): ImageRow => {
    const image = { bytes: picture(() => draw.next()), path: null }
    const captions = [{ text: caption, kind: 'web' as const }]
    const url = `https://example.org/pictures/${key}.jpg`
    const rest = { sha256: key.padEnd(64, '0'), phash: '0'.repeat(16), license: null, meta: null }
    return { key, image, width: 640, height: 480, captions, url, ...rest }
  })
  const phrases = spans.map(([from, end, head]) => {
    return { caption: 0, text: caption.slice(from, end), start: from, end, head }
  })
  const words = keys.map((key): PhraseRow => ({ key, phrases }))
  const found = keys.map((key): GroundingRow => {
    const regions = Array.from({ length: 5 }, (_, index) => {
      const phrase = index % 3
      const [from, end] = spans[phrase]!
      const [x, y] = [draw.between(0, 500), draw.between(0, 400)]
      const xyxy = [x, y, x + draw.between(5, 140), y + draw.between(5, 80)].map(Math.fround)
      const rest = { score: Math.fround(draw.between(0.5, 1)), origin: 'round-1' }
      return { caption: 0, phrase, start: from, end, xyxy: xyxy as never, ...rest }
    })
    return { key, regions }
  })
  const task = { storage, stage: 'bench', shard, configHash: 'bench', inputs: {} }
  const stats = { counts: {}, histograms: {}, tallies: {} }
  const sums = { unit: 'pairs', in: rowsAShard, out: rowsAShard, rejected: {}, stats }
  await runShardTask(task, 'images', async (write) => {
    const beside = { phrases: await write('phrases', words), grounding: await write('grounding', found) }
    return { files: { images: await write('images', images), ...beside }, ...sums }
  })
}

await createDataset(storage, { name: 'bench', card: null, shards })
for (const shard of shards) await makeShard(shard)
const rows = shards.length * rowsAShard
const megabytes = (rows * bytesEach) / 1e6

async function timed(work: () => Promise<unknown>, times = runs): Promise<number> {
  const seconds: number[] = []
  for (let run = 0; run < times; run++) {
    const from = performance.now()
    await work()
    seconds.push((performance.now() - from) / 1000)
  }
  return median(seconds)
}

const { figures, report } = gatherFigures()

/** The bytes of the pictures once more, and nothing else. */
async function copyPictures() {
  const part = await openPartFile(join(folder, 'copy'), 0)
  for (const shard of shards) {
    const { path } = await committedFile(storage, 'images', null, shard)
    await appendFile(storage.path(path), part)
  }
  await part.flush()
  await part.close()
}
const copy = await timed(copyPictures)
report('plain copy', megabytes / copy, 'MB/s')
const source = { name: 'bench', storage, shards, grounding: 'bench', phrases: 'bench' }
// First, while this process is as young as the one of pyarrow will be.
await exportDataset(source, { config: exportConfig.parse({ format: 'hf' }), out: join(folder, 'hf') })
const data = join(folder, 'hf', 'data')
const [first] = (await readdir(data)).sort()
const file = join(data, first!)
const fileMegabytes = (await stat(file)).size / 1e6

/** Looks at every row of the file, as an object. */
async function readRows(keep?: Record<string, unknown>[]): Promise<number> {
  const opened = await openParquet(file)
  let bytes = 0
  for await (const row of readParquetRows(opened)) {
    bytes += (row.image as { bytes: Uint8Array }).bytes.length
    keep?.push(row)
  }
  await opened.close()
  return bytes
}

/** Written and not flushed, as pyarrow does. */
async function writeRows() {
  const handle = await open(join(folder, 'own.parquet'), 'w')
  let writing: Promise<void> = Promise.resolve()
  let pieces: Uint8Array[] = []
  let [at, bytes] = [0, 0]
  for await (const piece of parquetChunks(hfSchema, hfNullable, given)) {
    pieces.push(piece)
    bytes += piece.length
    if (bytes < gatheredBytes && pieces.length < gatheredPieces) continue
    await writing
    writing = writePieces(handle, pieces, at)
    at += bytes
    bytes = 0
    pieces = []
  }
  await writing
  await writePieces(handle, pieces, at)
  await handle.close()
}

// The first two are not counted, of pyarrow neither; read is before the rows that are written lie in memory.
await timed(() => readRows(), 2)
const read = await timed(() => readRows())
const given: Record<string, unknown>[] = []
await readRows(given)
await timed(writeRows, 2)
const write = await timed(writeRows)
report('Parquet written', fileMegabytes / write, 'MB/s')
report('Parquet read as rows', fileMegabytes / read, 'MB/s')
if (python) {
  const script = new URL('./parity/parquet_rate.py', import.meta.url).pathname
  const out = execFileSync(python, [script, file, join(folder, 'theirs.parquet'), String(runs)], {
    encoding: 'utf8',
  })
  const theirs = JSON.parse(out) as Record<string, number[]>
  const secondsOf = (name: string) => median(theirs[name]!)
  const [wrote, readThem, columns] = [secondsOf('write'), secondsOf('read'), secondsOf('read columns')]
  report('Parquet written by pyarrow', fileMegabytes / wrote, 'MB/s')
  report('Parquet read as rows by pyarrow', fileMegabytes / readThem, 'MB/s')
  report('Parquet read as columns by pyarrow', fileMegabytes / columns, 'MB/s')
  report('written, ours against pyarrow', wrote / write, 'times its rate', '>= 0.8', wrote / write >= 0.8)
  report(
    'read as rows, ours against pyarrow',
    readThem / read,
    'times its rate',
    '>= 1',
    readThem / read >= 1,
  )
} else report('ours against pyarrow', null, '', '', null, 'no --python was named')
given.length = 0

for (const format of exportFormats) {
  const out = join(folder, format)
  const config = exportConfig.parse({ format })
  const seconds: number[] = []
  for (let run = 0; run <= runs; run++) {
    // What is deleted of the run before is no part of an export.
    await rm(out, { recursive: true, force: true })
    const once = await timed(() => exportDataset(source, { config, out }), 1)
    // The first is not counted.
    if (run > 0) seconds.push(once)
  }
  const middle = median(seconds)
  report(`${format}`, rows / middle, 'rows/s')
  report(
    `${format}, bytes of pictures`,
    megabytes / middle,
    'MB/s',
    '',
    null,
    `${(copy / middle).toFixed(2)} of a copy`,
  )
}

await rm(folder, { recursive: true })
printReport(`export of ${rows} pictures of ${bytesEach / 1000} kB, 5 regions each`, runs, figures)
