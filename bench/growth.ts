/**
 * What each stage costs as the work grows: crawl, chunk, label, filter, train, export, stats and the page over 1, 10 and
 * 100 times as many pictures (or steps), each in a process of its own: processor time, the clock, peak memory.
 *
 *     npm run bench:growth -- [--pictures 200] [--runs FOLDER] [--json]
 *
 * Pictures come from a server on loopback. The teacher is the network of the toy world with random weights: what it
 * finds is nothing, and what it costs is the same. `program` is the command that finds all done; what a stage costs a
 * picture is told without it. Where ten times the work takes more than 1.15 times as much a picture, it is not linear.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import { random } from '../src/base/random.js'
import { glipConfig } from '../src/model/network/presets.js'
import { specialTokens } from '../src/model/word-piece.js'
import { type Measured, measureProcess } from './measure-process.js'
import { writeRandomModel } from './random-model.js'
import { gatherFigures, option, printReport } from './report.js'

const smallest = Number(option('pictures', '200'))
const named = option('runs', '')
const work = named === '' ? await mkdtemp(join(tmpdir(), 'groundmill-bench-')) : named
const program = ['--max-old-space-size=4096', 'dist/cli/main.js']
const times = [1, 10, 100]
const things = ['dog', 'cat', 'sofa', 'tree', 'ball', 'boat', 'child', 'kite', 'horse', 'lamp']
const kinds = ['red', 'blue', 'small', 'large', 'old', 'green', 'wooden', 'white', 'young', 'black']

async function makePictures(folder: string, count: number) {
  await mkdir(folder, { recursive: true })
  const draw = random(7, 'growth bench')
  for (let index = 0; index < count; index++) {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const
    const create = { width: 24, height: 16, channels: 3, background: '#000', noise } as const
    const shapes = await sharp({ create }).png().toBuffer()
    const width = 160 + draw.integer(160)
    const picture = sharp(shapes).resize(width, Math.round(0.75 * width), { fit: 'fill' })
    await writeFile(join(folder, `${String(index).padStart(3, '0')}.jpg`), await picture.jpeg().toBuffer())
  }
}

/** A network of the toy world's size with random weights. */
async function makeTeacher(folder: string) {
  const vocabulary = new Map(
    [...specialTokens, ...things, ...kinds, 'a', 'and'].map((word, at) => [word, at]),
  )
  const config = glipConfig('toy', vocabulary.size)
  await writeRandomModel(folder, 'toy', config, vocabulary)
}

async function writeRun(folder: string, url: string, count: number, teacher: string, steps: number) {
  await mkdir(folder, { recursive: true })
  const list = join(folder, 'pairs.tsv')
  const draw = random(3, 'growth captions')
  const thing = () => `a ${draw.pick(kinds)} ${draw.pick(things)}`
  // The server has one picture in fifty that is gone, and one that is slow: of these there are none here.
  const rows = Array.from(
    { length: count },
    (_, at) => `${url}/${50 * at + 1}.jpg\t${thing()} and ${thing()}\n`,
  )
  await writeFile(list, `url\tcaption\n${rows.join('')}`)
  const pipeline = join(folder, 'pipeline.yaml')
  const fetch = `{ robots: false, per_host: 64, per_address: 64, allow_hosts: ["${url}"] }`
  await writeFile(
    pipeline,
    `name: growth
stages:
  - { name: crawl, uses: ingest, with: { format: tsv, path: ${list}, shard_size: 1000, fetch: ${fetch} } }
  - { name: chunk, uses: chunk, needs: [crawl] }
  - { name: label, uses: teach, needs: [chunk], with: { model: ${teacher}, floor: 0, max_boxes: 5 } }
  - name: filter
    uses: filter
    needs: [label]
    with: { rules: [{ rule: score, min: 0 }, { rule: nms, iou: 0.5 }, { rule: max_boxes, phrase: 2 }] }
  - { name: export, uses: export, needs: [filter], with: { format: hf } }
  - { name: train, uses: train, needs: [filter], with: { vocabulary: [crawl], steps: ${steps}, warmup: 1, batch: 4 } }
`,
  )
  return pipeline
}

const groundmill = async (args: readonly string[]): Promise<Measured> => {
  const ran = await measureProcess(process.execPath, [...program, ...args])
  if (ran.code !== 0) throw new Error(`groundmill ${args.join(' ')} failed: ${ran.err.slice(-2000)}`)
  return ran
}

/** From the start of the page's server until everything is indexed. */
async function openPage(dataset: string): Promise<Measured> {
  const script = join(work, 'page.mjs')
  await writeFile(
    script,
    `import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
const [, , ...args] = process.argv
const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
const url = new URL(JSON.parse(String(await new Promise((resolve) => server.stdout.once('data', resolve)))).url)
const headers = { authorization: 'Bearer ' + url.searchParams.get('token') }
for (;;) {
  const { index } = await (await fetch(url.origin + '/api/counts', { headers })).json()
  if (index.isWhole) break
  await sleep(20)
}
server.kill()
`,
  )
  const ran = await measureProcess(process.execPath, [script, ...program, 'inspect', dataset, '--json'])
  if (ran.code !== 0) throw new Error(`the page failed: ${ran.err.slice(-2000)}`)
  return ran
}

const { figures, report } = gatherFigures()
const pictures = join(work, 'pictures')
const teacher = join(work, 'teacher')
const server = await (async () => {
  await makePictures(pictures, 40)
  const args = ['--import', 'tsx', 'bench/ingest-server.ts', pictures, '--slow', '0']
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
})()
try {
  const [line] = await once(server.stdout, 'data')
  const url = `http://127.0.1.1:${Number(String(line))}`
  await makeTeacher(teacher)
  const costs = new Map<string, { cpu: number; seconds: number; peak: number }[]>()
  for (const time of times) {
    const count = smallest * time
    const folder = join(work, `x${time}`)
    const pipeline = await writeRun(folder, url, count, teacher, 4 * time)
    const run = join(folder, 'run')
    const add = (name: string, { cpuSeconds, seconds, peakMb }: Measured) => {
      const known = costs.get(name) ?? []
      costs.set(name, [...known, { cpu: cpuSeconds ?? 0, seconds, peak: peakMb ?? 0 }])
    }
    for (const stage of ['crawl', 'chunk', 'label', 'filter', 'export', 'train'])
      add(stage, await groundmill(['run', pipeline, '--dataset', run, '--only', stage, '--json']))
    add('program', await groundmill(['run', pipeline, '--dataset', run, '--only', 'filter', '--json']))
    add('stats', await groundmill(['stats', run, '--json']))
    add('page', await openPage(join(run, 'crawl')))
    await sleep(100)
  }
  const start = costs.get('program')!
  for (const [name, sizes] of costs) {
    for (const [at, { cpu, seconds, peak }] of sizes.entries()) {
      const clock = `${seconds.toFixed(1)} s by the clock, ${peak.toFixed(0)} MB`
      report(`${name}, x${times[at]}`, cpu, 's of processors', '', null, clock)
    }
    if (name === 'program') continue
    const own = sizes.map(
      ({ cpu }, at) => (cpu - (name === 'stats' || name === 'page' ? 0 : start[at]!.cpu)) / times[at]!,
    )
    const growth = own[2]! / own[1]!
    report(`${name}: a picture at x100 against x10`, growth, 'times', '<= 1.15', growth <= 1.15)
    const memory = sizes[2]!.peak / sizes[1]!.peak
    report(`${name}: memory at x100 against x10`, memory, 'times', '<= 1.5', memory <= 1.5)
  }
} finally {
  server.kill()
  if (named === '') await rm(work, { recursive: true, force: true })
}
printReport(`growth from ${smallest} pictures`, times.length, figures)
