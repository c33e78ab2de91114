/**
 * What a round over the web costs: planning, statistics and the other parts that one process does are measured
 * at their size with empty work, each in a process of its own, with its memory; from these rates and those of
 * `bench/scale/rates.ts` hours, machines, GPU hours, network, storage and requests are computed for 3, 24 and
 * 400 million pairs. Nothing of that size is run.
 *
 *     npm run bench:scale -- [--rows 20000000] [--shards 80000] [--tasks 400000] [--boxes 500000] [--pictures 8000000]
 *       [--captions FILE] [--rate "kept of a list=0.6"]... [--rates] [--json]
 *
 * --captions holds `image_id<TAB>caption`; `--rows` of a list take 100 bytes each in the temporary folder.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { formatTable } from '../src/cli/terminal/format-table.js'
import { gatherFigures, option, printReport } from './report.js'
import type { Measured } from './scale/parts.js'
import { type Cluster, type MeasuredRates, planRound } from './scale/plan.js'
import { rates, ratesOf } from './scale/rates.js'

const rows = Number(option('rows', '20000000'))
const shards = Number(option('shards', '80000'))
const tasks = Number(option('tasks', '400000'))
const boxes = Number(option('boxes', '500000'))
const pictures = Number(option('pictures', '8000000'))
const captions = option('captions', '../shared/data/coco-captions-val2017.tsv')

/** Three sizes, each with machines on which it is done in days. */
const clusters: readonly Cluster[] = [
  { pairs: 3e6, machines: 1, gpus: 1 },
  { pairs: 24e6, machines: 4, gpus: 8 },
  { pairs: 400e6, machines: 32, gpus: 128 },
]

const run = promisify(execFile)
type WithPeak = Measured & { readonly peakMb: number }

/** Measures a part in a process of its own. */
async function part(name: string, size: number, ...paths: readonly string[]): Promise<WithPeak> {
  const args = ['--expose-gc', '--import', 'tsx', 'bench/scale/parts.ts', name, String(size), ...paths]
  const { stdout } = await run(process.execPath, args)
  process.stderr.write(`${name} ${size}: ${stdout}`)
  return JSON.parse(stdout) as WithPeak
}

const given = process.argv.flatMap((text, at) => (process.argv[at - 1] === '--rate' ? [text] : []))
const values = ratesOf(given)
if (process.argv.includes('--rates')) {
  const lines = Object.entries(rates).map(([name, { value, unit, kind, from }]) => [
    ...[name, Number(value.toPrecision(4)), unit, kind, from],
  ])
  process.stdout.write(`${formatTable(['rate', 'value', 'unit', 'kind', 'from'], lines)}\n`)
  process.exit()
}

const { figures, report } = gatherFigures()
const show = (name: string, value: number, unit: string, note = '') =>
  report(name, value, unit, '', null, note || undefined)

const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
async function planning(format: 'tsv' | 'parquet'): Promise<WithPeak> {
  const path = join(folder, `list.${format}`)
  const { bytes = 0 } = await part(`list-${format}`, rows, path)
  const measured = await part(`planning-${format}`, rows, path)
  await rm(path)
  const note = `${rows} rows, ${(bytes / 1e9).toFixed(1)} GB, ${measured.seconds!.toFixed(1)} s`
  show(`planning, ${format}`, measured.rate!, 'rows/s', note)
  const peak = measured.peakMb
  report(`planning, ${format}: peak memory`, peak, 'MiB', '<= 500', peak <= 500)
  return measured
}

let measured: MeasuredRates
try {
  const tsv = await planning('tsv')
  await planning('parquet')
  show('planning: a shard in the stored plan', tsv.marks!, 'B')

  const dataset = await part('dataset', shards)
  show(`dataset.json of ${shards} shards`, dataset.bytes! / 1e6, 'MB')

  const texts = await part('captions', 20 * boxes)
  show('captions of a training, held', texts.add!, 'captions/s', `${20 * boxes} captions`)
  show('captions of a training: one drawn', texts.pick!, 'µs')
  report('captions of a training: peak memory', texts.peakMb, 'MiB', '<= 500', texts.peakMb <= 500)
  show('vocabulary', texts.count!, 'captions a CPU second')

  // A picture is compared with more others the more there are: two sizes tell by how much.
  const few = await part('dedup', pictures / 8)
  const index = await part('dedup', pictures)
  const grown = Math.max(0, (index.judge! - few.judge!) / (pictures - pictures / 8))
  show('dedup', 1 / index.judge!, 'pictures a CPU second', `beside ${pictures} others`)
  show('dedup: a picture takes longer for each that is known', 1e12 * grown, 'ps')
  show('dedup: memory', index.bytes!, 'B a picture')

  const coco = await part('coco', boxes)
  show('index of a COCO file: memory', coco.bytes!, 'B a box', `${boxes} boxes of ${coco.images} pictures`)

  const made = await part('shards', 10_000, captions)
  show('chunk', 1 / made['chunk cpu']!, 'pictures a CPU second', 'Parquet read and written')
  show(
    'filter',
    1 / made['filter cpu']!,
    'pictures a CPU second',
    `${made['proposals a row']!.toFixed(1)} boxes each`,
  )
  const families = ['images, without pictures', 'phrases', 'proposals', 'grounding', 'rejects']
  for (const family of families) show(`bytes: ${family}`, made[family]!, 'B a picture')
  show(
    'storage calls of a task',
    made['chunk reads']! + made['chunk writes']! + made['chunk others']!,
    'calls',
  )
  const coordinator = await part('coordinator', tasks)
  const rate = coordinator.rate!
  const carried = `${coordinator.tasks} tasks, ${coordinator.seconds!.toFixed(1)} s, at most ${coordinator.most} at once`
  report('coordinator: empty tasks', rate, 'tasks/s', '>= 1000', rate >= 1000, carried)
  report('coordinator: peak memory', coordinator.peakMb, 'MiB', '<= 500', coordinator.peakMb <= 500)
  const names = await part('folder', 2 * shards)
  show(`a folder of ${2 * shards} names, listed by a commit`, 1000 * names.seconds!, 'ms')

  const records = await part('statistics', shards)
  const note = `${records.records} records of ${Math.round(records.bytes!)} B, ${records.seconds!.toFixed(0)} s`
  show(`statistics of ${shards} shards`, records.cpu!, 's of a core', note)
  report('statistics: peak memory', records.peakMb, 'MiB', '<= 500', records.peakMb <= 500)
  show('statistics: records', records.rate!, 'records a CPU second')

  const [imageFamily = '', ...others] = families
  measured = {
    planning: tsv.rate!,
    records: records.rate!,
    recordBytes: records.bytes!,
    markBytes: tsv.marks!,
    shardNameBytes: dataset.bytes! / shards,
    dedup: Math.max(0, few.judge! - grown * (pictures / 8)),
    dedupGrowth: grown,
    dedupBytes: index.bytes!,
    captions: texts.count!,
    chunk: made['chunk cpu']!,
    filter: made['filter cpu']!,
    regions: made['regions a row']!,
    rowBytes: Object.fromEntries([
      ['images', made[imageFamily]!],
      ...others.map((family) => [family, made[family]!] as const),
    ]),
    // Removals cost nothing on S3.
    taskReads: made['chunk reads']!,
    taskWrites: made['chunk writes']!,
    cocoBytes: coco.bytes!,
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

const plans = clusters.map((cluster) => planRound(cluster, values, measured))
for (const { cluster, steps, first, firstAlone, figures: planned } of plans) {
  const name = `${cluster.pairs / 1e6} M pairs`
  const of = `${cluster.machines} machines, ${cluster.gpus} GPUs`
  for (const { name: step, hours, limit } of steps) show(`${name}: ${step}`, hours, 'h', limit)
  for (const [figure, { value, unit }] of Object.entries(planned)) show(`${name}: ${figure}`, value, unit)
  show(`${name}: first bottleneck`, first.hours, 'h', `${first.name}: ${first.limit}; ${of}`)
  show(`${name}: first of one process`, firstAlone.hours, 'h', `${firstAlone.name}: ${firstAlone.limit}`)
}
printReport('scale', 1, figures)
