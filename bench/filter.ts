/**
 * A filter over a million proposals: shards read, rules applied, grounding and rejects written, in one
 * process. Processor time is that of all its threads, so that one core could do it in that time. And over a hundred
 * million, which are the same shards under other names, in as many processes as there are workers.
 *
 *     npm run bench:filter -- [--proposals 1000000] [--many 100000000] [--workers 2] [--runs 3] [--json]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Random, random } from '../src/base/random.js'
import { filterConfig } from '../src/filter/config.js'
import { createFilter } from '../src/filter/filter-proposals.js'
import { filterShard } from '../src/filter/filter-shard.js'
import type { Candidate } from '../src/filter/rule/rule.js'
import type { RuleConfig } from '../src/filter/rules.js'
import type { Families, Family, ImageRow, Phrase } from '../src/rows/rows.js'
import { createDataset, readDataset } from '../src/shards/dataset.js'
import { runShardTask } from '../src/shards/shard-task.js'
import { openStorage } from '../src/storage/open-storage.js'
import type { Storage } from '../src/storage/storage.js'
import { peakMb } from './measure-process.js'
import { repeatShards } from './repeat-shards.js'
import { gatherFigures, median, option, printReport, spread } from './report.js'

const total = Number(option('proposals', '1000000'))
const phrasesARow = 5
const boxesAPhrase = 20
const rowsAShard = 2500
const boxesARow = phrasesARow * boxesAPhrase
const width = 640
const height = 480

const phrases: readonly Phrase[] = Array.from({ length: phrasesARow }, (_, index) => ({
  caption: 0,
  text: `a thing ${index}`,
  start: 10 * index,
  end: 10 * index + 9,
  head: 'thing',
}))

/** Boxes around a few things, as a teacher gives them: many that overlap, most of them weak. */
function proposals(draw: Random): Candidate[] {
  return phrases.flatMap((_, phrase) => {
    const things = Array.from({ length: 3 }, () => [draw.next() * 400, draw.next() * 300] as const)
    return Array.from({ length: boxesAPhrase }, () => {
      const [x, y] = draw.pick(things)
      const [dx, dy] = [draw.normal() * 8, draw.normal() * 8]
      const xyxy = [x + dx, y + dy, x + dx + 120, y + dy + 100] as const
      return { phrase, xyxy, score: draw.next() ** 2, label: null }
    })
  })
}

function imageRow(key: string): ImageRow {
  const captions = [{ text: phrases.map(({ text }) => text).join(' '), kind: 'web' as const }]
  const rest = { url: null, sha256: '', phash: '', license: null, meta: null }
  return { key, image: { bytes: new Uint8Array(0), path: null }, width, height, captions, ...rest }
}

async function makeShard(storage: Storage, shard: string) {
  const draw = random(shard, 'filter bench')
  const keys = Array.from({ length: rowsAShard }, (_, row) => shard + String(row).padStart(4, '0'))
  const stats = { counts: {}, histograms: {}, tallies: {} }
  const sums = { unit: 'rows', in: keys.length, out: keys.length, rejected: {}, stats }
  const task = { storage, shard, configHash: 'bench', inputs: {} }
  const make = <F extends Family>(stage: string, family: F, rows: readonly Families[F][]) =>
    runShardTask({ ...task, stage }, family, async (write) => ({
      files: { [family]: await write(family, rows) },
      ...sums,
    }))
  await make('bench', 'images', keys.map(imageRow))
  await make(
    'chunk',
    'phrases',
    keys.map((key) => ({ key, phrases })),
  )
  await make(
    'label',
    'proposals',
    keys.map((key) => ({ key, proposals: proposals(draw), teacher: 'bench' })),
  )
}

const [, , mode, ofFolder = '', index = '0', count = '1'] = process.argv
const all = (rules: RuleConfig[]): RuleConfig[] => [
  ...rules,
  { rule: 'negative', iou: 0.5, phrases: [] },
  { rule: 'duplicate', iou: 0.9 },
  { rule: 'nested', iou: 0.9, keep: 'outer' },
  { rule: 'number', fewer: 'drop', more: 'best', singular: false },
  { rule: 'phrase_recall', min: 0.1, max: 1 },
]
const { rules } = filterConfig.parse({})

/** Filters shards; processor seconds, by the clock, boxes kept, and the peak of memory after the first five and after all. */
async function run(storage: Storage, of: readonly string[], stage: string, given: RuleConfig[]) {
  const [start, before] = [performance.now(), process.cpuUsage()]
  let [kept, early] = [0, 0]
  for (const [at, shard] of of.entries()) {
    const task = { storage, stage, shard, configHash: stage, inputs: {} }
    const { record } = await filterShard(task, { rules: given, phrases: 'chunk', proposals: 'label' })
    kept += record.out
    if (at === Math.min(4, of.length - 1)) early = peakMb()
  }
  const { user, system } = process.cpuUsage(before)
  const wall = (performance.now() - start) / 1000
  return { wall, cpu: (user + system) / 1e6, kept, early, peak: peakMb() }
}
type Ran = Awaited<ReturnType<typeof run>>

// A worker's share of many shards.
if (mode === '--share') {
  const storage = openStorage(ofFolder)
  const { shards } = await readDataset(storage)
  const own = shards.filter((_, at) => at % Number(count) === Number(index))
  process.stdout.write(JSON.stringify(await run(storage, own, 'many', rules)))
  process.exit()
}

async function share(folder: string, worker: number, workers: number): Promise<Ran> {
  const args = ['--import', 'tsx', 'bench/filter.ts', '--share', folder, String(worker), String(workers)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (part) => {
    text += part
  })
  await once(child, 'close')
  return JSON.parse(text) as Ran
}

const { figures, report } = gatherFigures()
const runs = Number(option('runs', '3'))
const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
try {
  const storage = openStorage(folder)
  const shards = Array.from({ length: Math.ceil(total / boxesARow / rowsAShard) }, (_, at) =>
    String(at).padStart(5, '0'),
  )
  await createDataset(storage, { name: 'bench', card: null, shards })
  for (const shard of shards) await makeShard(storage, shard)

  await run(storage, shards.slice(0, 1), 'warm', rules)
  for (const [name, given, limit] of [
    ['default rules', rules, 1],
    ['ten rules', all(rules), 1.5],
  ] as const) {
    const all: Ran[] = []
    for (let at = 0; at < runs; at++)
      all.push(await run(storage, shards, `${name.replaceAll(' ', '-')}-${at}`, given))
    const cpu = all.map((one) => one.cpu)
    const note = `${all[0]!.kept} boxes kept, ${spread(cpu, 2)}, ${median(all.map(({ wall }) => wall)).toFixed(2)} s by the clock`
    report(`${name}, processor time`, median(cpu), 's', `<= ${limit}`, median(cpu) <= limit, note)
  }
  const filter = createFilter(rules)
  const draw = random(1, 'in memory')
  const rows = Array.from({ length: 200 }, () => proposals(draw))
  const image = { width, height, phrases }
  const start = performance.now()
  for (let at = 0; at < total / boxesARow; at++) filter(rows[at % rows.length]!, image)
  report('the default rules alone, in memory', (performance.now() - start) / 1000, 's')

  const many = Number(option('many', '100000000'))
  const workers = Number(option('workers', '2'))
  if (many > 0) {
    const shardCount = Math.ceil(many / boxesARow / rowsAShard)
    // What was filtered until here need not be there as often.
    await rm(join(folder, 'grounding'), { recursive: true })
    await rm(join(folder, 'rejects'), { recursive: true })
    await repeatShards(storage, shardCount)
    const begun = performance.now()
    const ran = await Promise.all(
      Array.from({ length: workers }, (_, worker) => share(folder, worker, workers)),
    )
    const wall = (performance.now() - begun) / 1000
    const goal = (180 * many) / 1e8
    const cpu = ran.reduce((sum, one) => sum + one.cpu, 0)
    report(
      `${many} proposals, ${workers} workers`,
      wall,
      's',
      `<= ${goal}`,
      wall <= goal,
      `${cpu.toFixed(0)} s of processors`,
    )
    const growth = Math.max(...ran.map(({ peak, early }) => peak / early))
    const peak = Math.max(...ran.map((one) => one.peak))
    report(
      'memory of a worker, after all against after five shards',
      growth,
      'times',
      '<= 1.15',
      growth <= 1.15,
      `${peak.toFixed(0)} MB`,
    )
  }
} finally {
  await rm(folder, { recursive: true })
}
printReport(`filter of ${total} proposals`, runs, figures)
