import { mkdir, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../../src/base/random.js'
import { TextList } from '../../src/base/text-list.js'
import { datasetStatistics } from '../../src/catalog/dataset-statistics.js'
import { datasetFunnel } from '../../src/catalog/funnel.js'
import { dedupConfig } from '../../src/dedup/config.js'
import { createDeduper } from '../../src/dedup/deduper.js'
import { readCocoIndex } from '../../src/formats/coco-index.js'
import { ingestConfig } from '../../src/ingest/config.js'
import { openSource } from '../../src/ingest/open-source.js'
import { planIngest } from '../../src/ingest/plan-ingest.js'
import { vocabularyBuilder } from '../../src/model/vocabulary-builder.js'
import { createDataset } from '../../src/shards/dataset.js'
import { openStorage } from '../../src/storage/open-storage.js'
import { recorded } from '../synthetic-record.js'
import { measureCoordinator } from './measure-coordinator.js'
import { measureShards } from './measure-shards.js'
import { syntheticRecords } from './synthetic-records.js'
import { writeList } from './write-list.js'

/** What a part measured, by name. */
export type Measured = Readonly<Record<string, number>>

/** Seconds of a process that begins now, and of the clock. */
function stopwatch() {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 }
  }
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Statistics over the records of a dataset of so many shards, none of which is held. */
async function statistics(shards: number): Promise<Measured> {
  const storage = syntheticRecords(shards)
  const stop = stopwatch()
  datasetStatistics('large', await datasetFunnel(storage), { top: 12 })
  const { seconds, cpu } = stop()
  const records = recorded.length * shards
  return { records, seconds, cpu, bytes: storage.bytesRead / records, rate: records / cpu }
}

/** The list is written by another process, so that its memory is not counted. */
const list = (format: 'tsv' | 'parquet') => async (rows: number, path?: string) => {
  if (path === undefined) throw new Error('a path for the list was expected')
  await writeList(path, rows, format)
  return { bytes: (await stat(path)).size }
}

/** Planning a list, and the bytes of what is written down of the plan. */
const planning = (format: 'tsv' | 'parquet') => async (rows: number, path?: string) => {
  const source = await openSource(ingestConfig.parse({ format, path, shard_size: 5000 }))
  try {
    const stop = stopwatch()
    const plan = await planIngest(source)
    const { seconds, cpu } = stop()
    if (plan.rows !== rows) throw new Error(`${plan.rows} rows were planned of ${rows}`)
    const marks = JSON.stringify(plan).length / plan.shards.length
    return { seconds, cpu, rate: rows / seconds, shards: plan.shards.length, marks }
  } finally {
    await source.close()
  }
}

/** `dataset.json` of so many shards. */
const dataset = (shards: number): Promise<Measured> =>
  inFolder(async (folder) => {
    const names = Array.from({ length: shards }, (_, at) => String(at).padStart(5, '0'))
    await createDataset(openStorage(folder), { name: 'large', card: null, shards: names })
    return { bytes: (await stat(join(folder, 'dataset.json'))).size }
  })

/** A folder of so many files and records, of which a commit looks for those of its shard. */
const folder = (names: number): Promise<Measured> =>
  inFolder(async (root) => {
    const storage = openStorage(root)
    await mkdir(join(root, 'phrases/words'), { recursive: true })
    for (let at = 0; at < names / 2; at++) {
      const shard = join(root, 'phrases/words', String(at).padStart(5, '0'))
      await writeFile(`${shard}.json`, '')
      await writeFile(`${shard}-0123456789abcdef.parquet`, '')
    }
    const stop = stopwatch()
    for (let at = 0; at < 10; at++) await storage.listBeginning(`phrases/words/0000${at}-`)
    return { seconds: stop().seconds / 10 }
  })

/** Captions of a training source: held on disk, and their words counted. */
async function captions(count: number): Promise<Measured> {
  const draw = random(1, 'captions')
  const word = () => `word${Math.floor(Math.exp(draw.next() * Math.log(5e6)))}`
  const caption = () => Array.from({ length: 9 }, word).join(' ')
  const own = Array.from({ length: 20_000 }, caption)
  const texts = new TextList()
  const held = stopwatch()
  for (let at = 0; at < count; at++) texts.add(own[at % own.length] as string)
  const adding = held().seconds
  const words = vocabularyBuilder()
  const counted = stopwatch()
  for (let at = 0; at < Math.min(count, 200_000); at++) words.add(caption())
  const counting = counted().cpu
  const drawn = stopwatch()
  for (let at = 0; at < 10_000; at++) texts.at(draw.integer(count))
  const drawing = drawn().seconds
  texts.close()
  return {
    add: count / adding,
    count: Math.min(count, 200_000) / counting,
    pick: (1e6 * drawing) / 10_000,
  }
}

/** The index of a dedup stage that knows so many pictures: seconds that another one takes, bytes for each. */
async function dedup(pictures: number): Promise<Measured> {
  const judged = 5000
  const before = process.memoryUsage().arrayBuffers
  const deduper = createDeduper(pictures + judged, dedupConfig.parse({}), [])
  const draw = random(2, 'pictures')
  const hex = (digits: number) => {
    let text = ''
    while (text.length < digits)
      text += draw
        .integer(2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text
  }
  const print = (at: number) => ({
    ...{ url: `https://example.org/${at}/picture.jpg`, sha256: hex(64), phash: hex(16) },
  })
  for (let at = 0; at < pictures; at++) deduper.keep(print(at), at)
  const prints = Array.from({ length: judged }, (_, at) => print(pictures + at))
  const stop = stopwatch()
  for (const [at, one] of prints.entries()) deduper.judge(one, pictures + at)
  const { cpu } = stop()
  return { judge: cpu / judged, bytes: (process.memoryUsage().arrayBuffers - before) / pictures }
}

/** The index over a COCO-like file: bytes of memory for a box with its part of the picture's entry. */
const coco = (boxes: number): Promise<Measured> =>
  inFolder(async (folder) => {
    const path = join(folder, 'instances.json')
    const perPicture = 7
    const file = await open(path, 'w')
    const images = Math.ceil(boxes / perPicture)
    await file.write('{"images":[')
    for (let at = 0; at < images; at++)
      await file.write(
        `${at ? ',' : ''}{"id":${at},"file_name":"train/${String(at).padStart(12, '0')}.jpg","width":640,"height":480}`,
      )
    await file.write('],"categories":[{"id":1,"name":"cat"},{"id":2,"name":"dog"}],"annotations":[')
    for (let at = 0; at < boxes; at += 1000) {
      const some = Array.from({ length: Math.min(1000, boxes - at) }, (_, index) => {
        const id = at + index
        return `{"id":${id},"image_id":${Math.floor(id / perPicture)},"category_id":${1 + (id % 2)},"bbox":[${id % 600}.5,10.25,30.5,40.75],"area":1242.9,"iscrowd":0}`
      })
      await file.write(`${at ? ',' : ''}${some.join(',')}`)
    }
    await file.write(']}')
    await file.close()
    globalThis.gc?.()
    const before = process.memoryUsage().heapUsed
    const stop = stopwatch()
    const index = await readCocoIndex(undefined, path)
    const { seconds } = stop()
    globalThis.gc?.()
    const bytes = (process.memoryUsage().heapUsed - before) / boxes
    return { bytes, rate: boxes / seconds, images: index.images.length }
  })

/** What can be measured alone in a process, by name: each is given a size, and a path where it needs one. */
export const parts: Readonly<Record<string, (size: number, path?: string) => Promise<Measured>>> = {
  statistics,
  'list-tsv': list('tsv'),
  'list-parquet': list('parquet'),
  'planning-tsv': planning('tsv'),
  'planning-parquet': planning('parquet'),
  dataset,
  folder,
  coordinator: (tasks) => inFolder((folder) => measureCoordinator(folder, tasks)),
  captions,
  dedup,
  coco,
  shards: (rows, path) => inFolder((folder) => measureShards(folder, rows, path)),
}

const [name = '', size = '', path] = process.argv.slice(2)
const part = parts[name]
if (part) {
  const measured = await part(Number(size), path)
  const peakMb = process.resourceUsage().maxRSS / 1024
  process.stdout.write(`${JSON.stringify({ ...measured, peakMb })}\n`)
}
