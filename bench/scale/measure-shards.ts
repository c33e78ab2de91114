import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { random } from '../../src/base/random.js'
import { filterConfig } from '../../src/filter/config.js'
import { filterShard } from '../../src/filter/filter-shard.js'
import { chunkShard } from '../../src/nlp/chunk-shard.js'
import { chunkConfig } from '../../src/nlp/config.js'
import type { ImageRow } from '../../src/rows/rows.js'
import { readShard } from '../../src/shards/read-shard.js'
import { runShardTask } from '../../src/shards/shard-task.js'
import { emptyStats } from '../../src/statistics/stats.js'
import { openStorage } from '../../src/storage/open-storage.js'
import type { Storage } from '../../src/storage/storage.js'

/** Boxes that a teacher proposes for a phrase above its floor, most of them weak. */
const boxesAPhrase = 4

/**
 * A shard of real captions (`image_id<TAB>caption`) with small pictures and drawn proposals, through the
 * chunker and the filter: bytes a row of each family, processor seconds a row of each stage, calls of the
 * storage that a task makes.
 */
export async function measureShards(folder: string, rows: number, captionFile?: string) {
  const texts = captionFile === undefined ? [] : await captionsOf(captionFile)
  if (texts.length === 0) throw new Error(`no captions in ${captionFile}`)
  const { storage, calls } = counted(openStorage(folder))
  const shard = '00000'
  const task = (stage: string) => ({ storage, stage, shard, configHash: stage, inputs: {} })
  const measured: Record<string, number> = {}
  const during = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    calls.reads = 0
    calls.writes = 0
    calls.others = 0
    const before = process.cpuUsage()
    const result = await work()
    const { user, system } = process.cpuUsage(before)
    measured[`${name} cpu`] = (user + system) / 1e6 / rows
    measured[`${name} reads`] = calls.reads
    measured[`${name} writes`] = calls.writes
    measured[`${name} others`] = calls.others
    return result
  }

  const images = await runShardTask(task('web'), 'images', async (write) => ({
    files: { images: await write('images', imageRows(rows, texts)) },
    ...{ unit: 'pairs', in: rows, out: rows, rejected: {}, stats: emptyStats },
  }))
  const chunked = await during('chunk', () => chunkShard(task('words'), chunkConfig.parse({})))
  const draw = random(3, 'proposals')
  let proposed = 0
  async function* proposals() {
    for await (const { key, phrases } of readShard(storage, 'phrases', 'words', shard)) {
      const found = phrases.flatMap((_, phrase) =>
        Array.from({ length: boxesAPhrase }, () => {
          const [x, y] = [draw.next() * 400, draw.next() * 300]
          const xyxy = [x, y, x + 20 + draw.next() * 200, y + 20 + draw.next() * 150] as const
          return { phrase, xyxy, score: draw.next() ** 2, label: null }
        }),
      )
      proposed += found.length
      yield { key, proposals: found, teacher: 'bench' }
    }
  }
  const taught = await runShardTask(task('label'), 'proposals', async (write) => ({
    files: { proposals: await write('proposals', proposals()) },
    ...{ unit: 'phrases', in: 0, out: 0, rejected: {}, stats: emptyStats },
  }))
  const { rules } = filterConfig.parse({})
  const filtered = await during('filter', () =>
    filterShard(task('kept'), { rules, phrases: 'words', proposals: 'label' }),
  )
  const bytesOf = (files: Readonly<Record<string, { readonly bytes: number }>>, family: string) =>
    (files[family]?.bytes ?? 0) / rows
  const rejects = [chunked, filtered].reduce((sum, { record }) => sum + bytesOf(record.files, 'rejects'), 0)
  return {
    ...measured,
    'images, without pictures': bytesOf(images.record.files, 'images') - pictureBytes,
    phrases: bytesOf(chunked.record.files, 'phrases'),
    proposals: bytesOf(taught.record.files, 'proposals'),
    grounding: bytesOf(filtered.record.files, 'grounding'),
    rejects,
    'phrases a row': chunked.record.stats.counts.phrases! / rows,
    'proposals a row': proposed / rows,
    'regions a row': filtered.record.out / rows,
  }
}

async function captionsOf(path: string): Promise<string[]> {
  const text = await readFile(join(path), 'utf8').catch(() => '')
  return text.split(/\r?\n/).flatMap((line) => (line === '' ? [] : [line.slice(line.indexOf('\t') + 1)]))
}

const pictureBytes = 1000

function* imageRows(rows: number, texts: readonly string[]): Generator<ImageRow> {
  const draw = random(4, 'pictures')
  const bytes = () => Uint8Array.from({ length: pictureBytes }, () => draw.integer(256))
  const hex = (digits: number) => Array.from({ length: digits }, () => draw.integer(16).toString(16)).join('')
  for (let row = 0; row < rows; row++)
    yield {
      key: `00000${String(row).padStart(4, '0')}`,
      image: { bytes: bytes(), path: null },
      ...{ width: 640, height: 480, license: null, meta: null },
      captions: [{ text: texts[row % texts.length] as string, kind: 'web' }],
      url: `https://images-${draw.integer(9973)}.example.org/photos/${hex(32)}.jpg`,
      ...{ sha256: hex(64), phash: hex(16) },
    }
}

/** Counts the calls of a storage by their price: what is read, what is written or listed, and the rest. */
function counted(storage: Storage) {
  const calls = { reads: 0, writes: 0, others: 0 }
  const kindOf = (name: string) => {
    if (/^(read|exists|age)/.test(name)) return 'reads'
    if (/^(write|create|swap|list|folders)/.test(name)) return 'writes'
    return 'others'
  }
  const proxy = new Proxy(storage, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver) as unknown
      if (typeof value !== 'function' || name === 'path') return value
      return (...given: unknown[]) => {
        calls[kindOf(String(name))]++
        return (value as (...given: unknown[]) => unknown).apply(target, given)
      }
    },
  })
  return { storage: proxy, calls }
}
