/**
 * Throughput of a run by 1, 2 and 4 worker processes against one process without any: crawling (a web of many
 * hosts that answer late), chunking, labelling (the toy model) and filtering. The ways are run one after the
 * other in every round, each round in another order.
 *
 *     npm run bench:workers -- [--rounds 3] [--workers 1,2,4] [--stages crawl,chunk,label,filter]
 *       [--urls 1920] [--pictures 384] [--latency 150] [--json]
 *
 * A rate is that of the work, from the start of the first shard to the end of the last: how long the processes
 * take to begin is told by itself.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Family } from '../src/rows/rows.js'
import { readCommit } from '../src/shards/commit.js'
import { readDataset } from '../src/shards/dataset.js'
import { openStorage } from '../src/storage/open-storage.js'
import { makeWorld } from '../src/world/make-world.js'
import { readRecipe } from '../src/world/recipe.js'
import { measureProcess } from './measure-process.js'
import { gatherFigures, median, option, printReport } from './report.js'

const rounds = Number(option('rounds', '3'))
const workers = option('workers', '1,2,4')
  .split(',')
  .map(Number)
  .filter((count) => count > 0)
const wanted = option('stages', 'crawl,chunk,label,filter').split(',')
const urls = Number(option('urls', '1920'))
const pictures = Number(option('pictures', '384'))
const latency = Number(option('latency', '150'))
const shardsOfCrawl = 12
const shardsOfPictures = 24
/** Requests of one process at once; the hosts together take more than all processes ask for. */
const concurrency = 32
const hosts = 48
/** Chunking and filtering are quick: the same is done in so many ways. */
const times = 6
const sentences = 12
const cores = availableParallelism()
const work = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))

/** What is timed: stages that are taken away from a run and made again. */
interface Measure {
  readonly unit: string
  readonly dataset: string
  readonly family: Family
  readonly stages: readonly string[]
}

const repeated = (name: string) => Array.from({ length: times }, (_, at) => `${name}-${at}`)
const measures: Readonly<Record<string, Measure>> = {
  crawl: { unit: 'pictures/s', dataset: 'crawl', family: 'images', stages: ['crawl'] },
  chunk: { unit: 'captions/s', dataset: 'long', family: 'phrases', stages: repeated('chunk') },
  label: { unit: 'phrases/s', dataset: 'short', family: 'proposals', stages: ['label'] },
  filter: { unit: 'proposals/s', dataset: 'short', family: 'grounding', stages: repeated('filter') },
}

async function serve(folder: string) {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'bench/latency-server.ts', folder, String(latency)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = await once(child.stdout, 'data')
  return { port: Number(String(line)), close: () => child.kill() }
}

/** A list of addresses and captions, of the pictures that are there once or many times. */
async function writeList(name: string, count: number, row: (index: number) => readonly [string, string]) {
  const path = join(work, name)
  const lines = Array.from({ length: count }, (_, index) => row(index).join('\t'))
  await writeFile(path, `${['url\tcaption', ...lines].join('\n')}\n`)
  return path
}

async function makePictures(): Promise<string> {
  const recipe = await readRecipe('datasets/toy.yaml')
  const world = join(work, 'world')
  const splits = { ...recipe.splits, gold: 40, web: pictures, known: 0, novel: 0, attributes: 0 }
  await makeWorld({ ...recipe, web: { ...recipe.web, broken_share: 0 }, splits }, world)
  return world
}

/** A pipeline whose stages are each of one of the four kinds, or make what those read. */
async function writePipeline(world: string, port: number): Promise<string> {
  const web = (await readFile(join(world, 'web/pairs.tsv'), 'utf8')).trim().split('\n').slice(1)
  const captions = web.map((line) => line.slice(line.indexOf('\t') + 1))
  const captionOf = (index: number) => captions[index % captions.length] as string
  const longOf = (index: number) =>
    Array.from({ length: sentences }, (_, at) => captionOf(index * 7 + at)).join('. ')
  const host = (index: number) => `http://127.0.1.${1 + (index % hosts)}:${port}`
  const address = (index: number) => `${host(index)}/${index}.jpg`
  const allow_hosts = Array.from({ length: hosts }, (_, index) => host(index))
  const source = async (name: string, count: number, shards: number, caption: (index: number) => string) => ({
    name,
    uses: 'ingest',
    with: {
      format: 'tsv',
      path: await writeList(`${name}.tsv`, count, (index) => [address(index), caption(index)]),
      shard_size: Math.ceil(count / shards),
      fetch: { concurrency, allow_hosts },
    },
  })
  const rules = (at: number) => [
    { rule: 'area', min: 0.0001, max: 0.99 },
    { rule: 'score', min: 0.0001 * (at + 1) },
    { rule: 'nms', iou: 0.7 },
    { rule: 'number', singular: true },
    { rule: 'max_boxes', phrase: 4 },
  ]
  const gold = { images: join(world, 'gold/images'), instances: join(world, 'gold/annotations.json') }
  const stages = [
    { name: 'gold', uses: 'ingest', with: { format: 'coco', ...gold } },
    await source('crawl', urls, shardsOfCrawl, captionOf),
    await source('short', pictures, shardsOfPictures, captionOf),
    await source('long', pictures, shardsOfPictures, longOf),
    { name: 'phrases', uses: 'chunk', needs: ['short'] },
    ...(measures.chunk as Measure).stages.map((name, at) => ({
      ...{ name, uses: 'chunk', needs: ['long'], with: { max_words: 4 + at } },
    })),
    // What a model has learned does not change how long it takes.
    {
      ...{ name: 'teacher', uses: 'train', needs: ['gold'] },
      with: { vocabulary: ['short'], steps: 1, batch: 2 },
    },
    { name: 'label', uses: 'teach', needs: ['phrases', 'teacher'], with: { floor: 0 } },
    ...(measures.filter as Measure).stages.map((name, at) => ({
      ...{ name, uses: 'filter', needs: ['label'], with: { rules: rules(at) } },
    })),
  ]
  const path = join(work, 'pipeline.yaml')
  await writeFile(path, stringify({ name: 'bench', stages }))
  return path
}

async function groundmill(pipeline: string, run: string, only: readonly string[], processes: number | null) {
  const ran = await measureProcess(process.execPath, [
    ...['dist/cli/main.js', 'run', pipeline, '--dataset', run, '--json'],
    ...only.flatMap((stage) => ['--only', stage]),
    ...(processes === null ? [] : ['--workers', String(processes)]),
  ])
  if (ran.code !== 0) throw new Error(`groundmill failed: ${ran.err.slice(-2000)}`)
  return ran
}

interface Outcome {
  readonly rate: number
  /** Of the whole command beyond the work itself. */
  readonly around: number
  readonly peakMb: number | null
}

/** Times the stages of a measure in a copy of the run in which all is done but they. */
async function time(
  measure: Measure,
  pipeline: string,
  base: string,
  processes: number | null,
): Promise<Outcome> {
  const { dataset, family, stages } = measure
  const run = join(work, 'run')
  await cp(base, run, { recursive: true })
  const below = (stage: string) => (stage === dataset ? dataset : join(dataset, family, stage))
  for (const stage of stages) {
    await rm(join(run, below(stage)), { recursive: true })
    await rm(join(run, dataset, 'rejects', stage), { recursive: true, force: true })
  }
  const { seconds, peakMb } = await groundmill(pipeline, run, stages, processes)
  const storage = openStorage(join(run, dataset))
  const { shards } = await readDataset(storage)
  let [count, first, last] = [0, Number.POSITIVE_INFINITY, 0]
  for (const stage of stages)
    for (const shard of shards) {
      const record = await readCommit(storage, family, stage === dataset ? null : stage, shard)
      if (!record) throw new Error(`${stage} has not made shard ${shard}`)
      const end = Date.parse(record.createdAt)
      count += record.in
      first = Math.min(first, end - 1000 * record.seconds)
      last = Math.max(last, end)
    }
  await rm(run, { recursive: true })
  const worked = (last - first) / 1000
  return { rate: count / worked, around: seconds - worked, peakMb }
}

const nameOf = (processes: number | null) =>
  processes === null ? 'one process' : `${processes} worker${processes === 1 ? '' : 's'}`

/** Tells of a measure: the rates, and their ratio to one process, round by round. */
function reportMeasure(name: string, unit: string, outcomes: ReadonlyMap<number | null, readonly Outcome[]>) {
  const single = outcomes.get(null) as readonly Outcome[]
  for (const [processes, all] of outcomes) {
    const rates = all.map(({ rate }) => rate)
    const [low, high] = [Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0))
    const around = median(all.map((outcome) => outcome.around)).toFixed(1)
    const peaks = all.flatMap(({ peakMb }) => peakMb ?? [])
    const memory = peaks.length > 0 ? `, ${median(peaks).toFixed(0)} MB` : ''
    const note = `${low} to ${high}; ${around} s to begin and end${memory}`
    report(`${name}, ${nameOf(processes)}`, median(rates), unit, '', null, note)
  }
  for (const [processes, all] of outcomes) {
    if (processes === null) continue
    const ratios = all.map(({ rate }, round) => rate / (single[round] as Outcome).rate)
    const ratio = median(ratios)
    const least = 0.9 * Math.min(processes, cores)
    const note = ratios.map((one) => one.toFixed(2)).join(', ')
    const goal = processes <= cores ? `>= ${least.toFixed(1)}` : ''
    const title = `${name}, ${nameOf(processes)} over one process`
    report(title, ratio, 'times', goal, goal === '' ? null : ratio >= least, note)
  }
}

const { figures, report } = gatherFigures()
let server: Awaited<ReturnType<typeof serve>> | undefined
try {
  const before = loadavg()[0] as number
  const world = await makePictures()
  server = await serve(join(world, 'web/images'))
  const pipeline = await writePipeline(world, server.port)
  const base = join(work, 'base')
  await groundmill(pipeline, base, [], null)
  const ways = [null, ...workers]
  for (const [name, measure] of Object.entries(measures)) {
    if (!wanted.includes(name)) continue
    const outcomes = new Map<number | null, Outcome[]>(ways.map((processes) => [processes, []]))
    for (let round = 0; round < rounds; round++)
      for (const at of ways.keys()) {
        const processes = ways[(at + round) % ways.length] as number | null
        outcomes.get(processes)?.push(await time(measure, pipeline, base, processes))
      }
    reportMeasure(name, measure.unit, outcomes)
  }
  report('cores', cores, 'cores')
  report('load before', before, 'processes')
} finally {
  server?.close()
  await rm(work, { recursive: true, force: true })
}
printReport('workers', rounds, figures)
