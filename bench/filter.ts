/**
 * A filter over a million proposals: shards read, rules applied, grounding and rejects written, in one
 * process. Processor time is that of all its threads, so that one core could do it in that time.
 *
 *     npm run bench:filter -- [--proposals 1000000] [--json]
 */
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
import { runShardTask } from '../src/shards/shard-task.js'
import { openStorage } from '../src/storage/open-storage.js'
import type { Storage } from '../src/storage/storage.js'
import { type Figure, option, printReport } from './report.js'

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

const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
const storage = openStorage(folder)
const shards = Array.from({ length: Math.ceil(total / boxesARow / rowsAShard) }, (_, at) =>
  String(at).padStart(5, '0'),
)
for (const shard of shards) await makeShard(storage, shard)
const { rules } = filterConfig.parse({})
const all: RuleConfig[] = [
  ...rules,
  { rule: 'negative', iou: 0.5, phrases: [] },
  { rule: 'duplicate', iou: 0.9 },
  { rule: 'nested', iou: 0.9, keep: 'outer' },
  { rule: 'number', fewer: 'drop', more: 'best', singular: false },
  { rule: 'phrase_recall', min: 0.1, max: 1 },
]

/** Filters the shards, and looks at the memory after each. */
async function run(of: readonly string[], stage: string, given: RuleConfig[]) {
  const [start, before] = [performance.now(), process.cpuUsage()]
  let [peak, kept] = [0, 0]
  for (const shard of of) {
    const task = { storage, stage, shard, configHash: stage, inputs: {} }
    const { record } = await filterShard(task, { rules: given, phrases: 'chunk', proposals: 'label' })
    kept += record.out
    peak = Math.max(peak, process.memoryUsage().rss)
  }
  const { user, system } = process.cpuUsage(before)
  return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6, peak: peak / 2 ** 20, kept }
}

const first = await run(shards.slice(0, 1), 'warm', rules)
const whole = await run(shards, 'default', rules)
const many = await run(shards, 'many', all)
const filter = createFilter(rules)
const draw = random(1, 'in memory')
const rows = Array.from({ length: 200 }, () => proposals(draw))
const image = { width, height, phrases }
const start = performance.now()
for (let at = 0; at < total / boxesARow; at++) filter(rows[at % rows.length]!, image)
const inMemory = (performance.now() - start) / 1000
await rm(folder, { recursive: true })

const count = shards.length * rowsAShard * boxesARow
const figure = (value: number, unit: string, goal: string, met: boolean | null, note = ''): Figure => ({
  value,
  unit,
  goal,
  met,
  note,
})
printReport(`filter of ${count} proposals in ${shards.length} shards`, 1, {
  'default rules, processor time': figure(whole.cpu, 's', '< 5', whole.cpu < 5, `${whole.kept} boxes kept`),
  'default rules, wall clock': figure(whole.wall, 's', '', null),
  'ten rules, processor time': figure(many.cpu, 's', '< 5', many.cpu < 5),
  'the default rules alone, in memory': figure(inMemory, 's', '', null),
  'memory after one shard': figure(first.peak, 'MiB', '', null),
  'memory at most': figure(whole.peak, 'MiB', '< 1.5 times that', whole.peak < 1.5 * first.peak),
})
