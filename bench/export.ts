/**
 * Exports of one dataset in every format, each against its limit, and Parquet against pyarrow on the same rows.
 *
 *     npm run bench:export -- [--only hf,parquet,…] [--pictures 10000] [--kilobytes 50] [--runs 5] [--python python3]
 *                             [--json]
 *
 * The limit of a format whose pictures lie within its own files is a plain copy of the export's bytes into one file,
 * flushed to the disk as an export is; that of a format with a file a picture is `cp -r` of the export, the same bytes
 * in as many files. Each run takes both, one behind the other, and goals are held against the median of their ratios:
 * what else the machine does slows both down. Told beside it are the processor's time, and what the ratio is to a limit
 * with the SHA-256 that `croissant.json` has of every file, which the copy has not. Without a Python that has pyarrow
 * only our own rates are shown.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashFile } from '../src/base/files/hash-file.js'
import { gatheredBytes, writeChunks } from '../src/base/files/write-pieces.js'
import { random } from '../src/base/random.js'
import { exportConfig, exportFormats } from '../src/export/config.js'
import { exportDataset } from '../src/export/export-dataset.js'
import { formats } from '../src/export/formats.js'
import type { GroundingRow, ImageRow, PhraseRow } from '../src/rows/rows.js'
import { createDataset } from '../src/shards/dataset.js'
import { runShardTask } from '../src/shards/shard-task.js'
import { openStorage } from '../src/storage/open-storage.js'
import { gatherFigures, median, option, printReport } from './report.js'

const count = Number(option('pictures', '10000'))
const bytesEach = 1000 * Number(option('kilobytes', '50'))
const runs = Number(option('runs', '5'))
const python = option('python', '')
const wanted = option('only', `parquet,${exportFormats.join(',')}`).split(',')
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

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (performance.now() - from) / 1000
}

const { figures, report } = gatherFigures()
const source = { name: 'bench', storage, shards, grounding: 'bench', phrases: 'bench' }

/** The bytes of files once more, in one file, which is flushed. */
async function copyBytes(paths: readonly string[], to: string) {
  async function* pieces() {
    for (const path of paths) {
      const file = await open(path)
      for (;;) {
        const piece = Buffer.allocUnsafeSlow(gatheredBytes)
        const { bytesRead } = await file.read(piece, 0, piece.length)
        if (bytesRead === 0) break
        yield piece.subarray(0, bytesRead)
      }
      await file.close()
    }
  }
  const copy = await open(to, 'w')
  await writeChunks(copy, pieces())
  await copy.datasync()
  await copy.close()
}

async function filesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/**
 * Takes the bytes of files and leaves their names: where many were deleted, ext4 looks for minutes at each of them
 * again before it makes a new one (`recently_deleted`), which takes ten times as long as to make it.
 */
async function empty(path: string) {
  for (const file of await filesIn(path)) await truncate(file)
}

/** What a ratio of each run says: their median, with the lowest and the highest. */
function reportRatios(name: string, ratios: readonly number[], unit: string, goal: number) {
  const middle = median(ratios)
  const [lowest, highest] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2))
  report(name, middle, unit, `>= ${goal}`, middle >= goal, `${lowest} to ${highest}`)
}

async function compareWithPyarrow(file: string) {
  const megabytesOf = (await stat(file)).size / 1e6
  const target = join(folder, 'again.parquet')
  const ratesOf = (command: string, script: string) => {
    const path = new URL(script, import.meta.url).pathname
    const options = command === process.execPath ? ['--import', 'tsx'] : []
    const out = execFileSync(command, [...options, path, file, target, String(runs)], { encoding: 'utf8' })
    return Object.entries(JSON.parse(out) as Record<string, number[]>).map(
      ([name, seconds]) => [name, megabytesOf / median(seconds)] as const,
    )
  }
  const ours = new Map<string, number[]>()
  const theirs = new Map<string, number[]>()
  // By turns, each in a process of its own: neither has the other's memory, or another hour.
  for (let round = 0; round < rounds; round++) {
    for (const [name, rate] of ratesOf(process.execPath, './parity/parquet-rate.ts'))
      ours.set(name, [...(ours.get(name) ?? []), rate])
    if (!python) continue
    for (const [name, rate] of ratesOf(python, './parity/parquet_rate.py'))
      theirs.set(name, [...(theirs.get(name) ?? []), rate])
  }
  for (const [name, rates] of ours) report(`Parquet ${name}`, median(rates), 'MB/s')
  for (const [name, rates] of theirs) report(`Parquet ${name}, pyarrow`, median(rates), 'MB/s')
  if (!python) report('ours against pyarrow', null, '', '', null, 'no --python was named')
  else
    for (const [name, rates] of ours) {
      const their = theirs.get(name.startsWith('read') ? 'read' : name)
      const ratios = rates.map((rate, round) => rate / (their?.[round] ?? Number.NaN))
      reportRatios(`${name}, ours against pyarrow`, ratios, 'times its rate', 1.2)
    }
}
const rounds = 3

for (const format of exportFormats) {
  if (!wanted.includes(format) && !(format === 'hf' && wanted.includes('parquet'))) continue
  const config = exportConfig.parse({ format })
  const isManyFiles = formats[format].pictures === 'files'
  const seconds: number[] = []
  const processor: number[] = []
  const ratios: number[] = []
  const hashedRatios: number[] = []
  for (let run = 0; run <= runs; run++) {
    const out = join(folder, `${format}-${run}`)
    const used = process.cpuUsage()
    const once = await timed(() => exportDataset(source, { config, out }))
    const { user, system } = process.cpuUsage(used)
    if (format === 'hf' && run === 0 && wanted.includes('parquet')) {
      const data = join(out, 'data')
      await compareWithPyarrow(join(data, (await readdir(data)).sort()[0] as string))
    }
    if (!wanted.includes(format)) break
    const again = `${out}-copy`
    const copied = isManyFiles ? again : join(folder, 'copy')
    const files = await filesIn(out)
    const limit = await timed(async () =>
      isManyFiles ? execFileSync('cp', ['-r', out, again]) : copyBytes(files, copied),
    )
    // Of pictures that are files of their own croissant.json has no hashes.
    const hashed = await timed(async () => !isManyFiles && hashFile(copied))
    // The first is not counted.
    if (run > 0) {
      seconds.push(once)
      processor.push((user + system) / 1e6)
      ratios.push(limit / once)
      hashedRatios.push((limit + hashed) / once)
    }
    await empty(out)
    if (isManyFiles) await empty(again)
  }
  if (seconds.length === 0) continue
  const middle = median(seconds)
  report(format, rows / middle, 'rows/s')
  report(`${format}, bytes of pictures`, megabytes / middle, 'MB/s')
  report(`${format}, processor`, median(processor), 's')
  reportRatios(`${format}, against ${isManyFiles ? 'cp -r' : 'a plain copy'}`, ratios, 'times its rate', 0.6)
  if (!isManyFiles)
    report(`${format}, against a copy and its SHA-256`, median(hashedRatios), 'times its rate')
}

await rm(folder, { recursive: true })
printReport(`export of ${rows} pictures of ${bytesEach / 1000} kB, 5 regions each`, runs, figures)
