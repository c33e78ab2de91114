/**
 * Ingest of pictures from a local server against img2dataset: the same list, resize and quality, two cores; with slow
 * and dead hosts against the same without; and its memory as the list grows.
 *
 *     npm run bench:ingest -- [--urls 4000] [--rounds 5] [--python PYTHON] [--slow 20000] [--memory 10000]
 *       [--only rate|slow|memory] [--json]
 *
 * PYTHON is an interpreter that has img2dataset; without it groundmill's figures stand alone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { request } from 'undici'
import { random } from '../src/base/random.js'
import { measureProcess } from './measure-process.js'
import { gatherFigures, median, option, printReport, spread } from './report.js'

const urls = Number(option('urls', '4000'))
const rounds = Number(option('rounds', '5'))
const many = Number(option('memory', '10000'))
const python = option('python', 'python3')
const size = 256
const quality = 92
const work = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
const tsx = ['--import', 'tsx']

/** Pictures with edges and grain, of photographs' sizes in pixels and bytes. */
async function makePictures(folder: string, count: number, longest: number) {
  await mkdir(folder)
  const draw = random(7, 'ingest bench')
  const noise = (width: number, height: number, sigma: number) =>
    sharp({
      create: {
        width,
        height,
        channels: 3,
        background: '#000',
        noise: { type: 'gaussian', mean: 128, sigma },
      },
    })
  for (let index = 0; index < count; index++) {
    const width = Math.round(longest * (0.3 + 0.7 * draw.next()))
    const height = Math.round(width * (0.6 + 0.2 * draw.next()))
    const shapes = await noise(24, 16, 70).png().toBuffer()
    const grain = await noise(width, height, 8).png({ compressionLevel: 1 }).toBuffer()
    const picture = sharp(
      await sharp(shapes).resize(width, height, { fit: 'fill' }).png({ compressionLevel: 1 }).toBuffer(),
    )
    const bytes = await picture
      .composite([{ input: grain, blend: 'soft-light' }])
      .jpeg({ quality: 85 })
      .toBuffer()
    await writeFile(join(folder, `${String(index).padStart(4, '0')}.jpg`), bytes)
  }
}

interface Web {
  /** The address of a picture, on the first host or on one of a hundred by its number. */
  readonly urlOf: (index: number, hosts?: number) => string
  readonly origins: readonly string[]
  readonly close: () => void
}

async function serve(folder: string, ...args: readonly string[]): Promise<Web> {
  const child = spawn(process.execPath, [...tsx, 'bench/ingest-server.ts', folder, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  const port = Number(String(line))
  const origins = Array.from({ length: 100 }, (_, host) => `http://127.0.1.${host + 1}:${port}`)
  return {
    origins,
    urlOf: (index, hosts = 1) => `${origins[Math.floor(index / 7) % hosts]}/${index}.jpg`,
    close: () => child.kill(),
  }
}

async function writeList(name: string, { urlOf }: Web, count: number, hosts?: number): Promise<string> {
  const path = join(work, name)
  const lines = Array.from({ length: count }, (_, index) => `${urlOf(index, hosts)}\tpicture ${index}\n`)
  await writeFile(path, `url\tcaption\n${lines.join('')}`)
  return path
}

interface Outcome {
  /** Rows of the list a second. */
  readonly rate: number
  readonly seconds: number
  readonly kept: number
  readonly cpu: number | null
  readonly peak: number | null
}

interface Crawl {
  /** What `fetch` has besides the hosts that it may ask. */
  readonly fetch?: string
  readonly imageSize?: number
  readonly shardSize?: number
}

/** As img2dataset is told to: 32 requests at once in each of two processes, all of one host. */
const likePeer = 'concurrency: 64, per_host: 64, per_address: 64,'

async function groundmill(
  list: string,
  { origins }: Web,
  count: number,
  crawl: Crawl = {},
): Promise<Outcome> {
  const { fetch = likePeer, imageSize = size, shardSize = 1000 } = crawl
  const out = join(work, 'groundmill')
  const pipeline = join(work, 'pipeline.yaml')
  const hosts = `{ ${fetch} allow_hosts: ${JSON.stringify(origins)} }`
  const image = `{ image_size: ${imageSize}, quality: ${quality} }`
  const options = `{ format: tsv, path: ${list}, shard_size: ${shardSize}, fetch: ${hosts}, image: ${image} }`
  await writeFile(pipeline, `name: bench\nstages: [{ name: web, uses: ingest, with: ${options} }]\n`)
  const args = ['dist/cli/main.js', 'run', pipeline, '--dataset', out, '--json']
  const ran = await measureProcess(process.execPath, args)
  await rm(out, { recursive: true })
  if (ran.code !== 0) throw new Error(`groundmill failed: ${ran.err}`)
  const kept = JSON.parse(ran.out).funnel[0].out as number
  return { rate: count / ran.seconds, seconds: ran.seconds, kept, cpu: ran.cpuSeconds, peak: ran.peakMb }
}

async function img2dataset(list: string, count: number): Promise<Outcome> {
  const out = join(work, 'img2dataset')
  const settings = {
    url_list: list,
    input_format: 'tsv',
    url_col: 'url',
    caption_col: 'caption',
    output_folder: out,
    output_format: 'webdataset',
    processes_count: 2,
    thread_count: 32,
    image_size: size,
    resize_mode: 'keep_ratio_largest',
    resize_only_if_bigger: 'True',
    encode_quality: quality,
    number_sample_per_shard: 1000,
    enable_wandb: 'False',
    timeout: 10,
    retries: 2,
  }
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)])
  const ran = await measureProcess(join(dirname(python), 'img2dataset'), args, {
    NO_ALBUMENTATIONS_UPDATE: '1',
  })
  if (ran.code !== 0) throw new Error(`img2dataset failed: ${ran.err.slice(-2000)}`)
  let kept = 0
  for (const name of await readdir(out)) {
    if (name.endsWith('_stats.json')) kept += JSON.parse(await readFile(join(out, name), 'utf8')).successes
  }
  await rm(out, { recursive: true })
  return { rate: count / ran.seconds, seconds: ran.seconds, kept, cpu: ran.cpuSeconds, peak: ran.peakMb }
}

/** Pictures a second of sharp alone: decode, resize and encode of bytes, with nothing around it. */
async function sharpLimit(bytesOf: (index: number) => Promise<Uint8Array>, count: number): Promise<number> {
  sharp.concurrency(1)
  sharp.cache(false)
  const [fetching, resizing] = [pLimit(64), pLimit(3)]
  const start = performance.now()
  await Promise.all(
    Array.from({ length: count }, (_, index) =>
      fetching(async () => {
        const bytes = await bytesOf(index)
        await resizing(() => sharp(bytes).resize(size, size, { fit: 'inside' }).jpeg({ quality }).toBuffer())
      }),
    ),
  )
  return (1000 * count) / (performance.now() - start)
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

const { figures, report } = gatherFigures()
/** The median of what is known, with its spread as a note. */
function reportAll(name: string, values: readonly (number | null)[], unit: string, goal = '', note = '') {
  const known = values.filter((value) => value !== null)
  if (known.length === 0) return report(name, null, unit, goal)
  const value = median(known)
  const [sign, bound] = goal.split(' ')
  const isMet = sign === '>=' ? value >= Number(bound) : value <= Number(bound)
  const digits = Math.max(...known) < 10 ? 2 : 0
  report(
    name,
    value,
    unit,
    goal,
    goal === '' ? null : isMet,
    [note, spread(known, digits)].filter(Boolean).join(', '),
  )
}

/** Rates beside a peer and beside the same decoder alone, in turns. */
async function compareRates(folder: string) {
  const web = await serve(folder)
  const list = await writeList('pairs.tsv', web, urls)
  const hasPeer = await isThere(join(dirname(python), 'img2dataset'))
  const [own, peer, alone, served]: [Outcome[], Outcome[], number[], number[]] = [[], [], [], []]
  const names = await readdir(folder)
  const pictures = await Promise.all(names.map((name) => readFile(join(folder, name))))
  const fetched = async (index: number) => {
    // The bench's own misses and slow answers are no part of the limit.
    const { body } = await request(web.urlOf(50 * index + 1))
    return new Uint8Array(await body.arrayBuffer())
  }
  const loads: number[] = []
  for (let round = 0; round < rounds; round++) {
    own.push(await groundmill(list, web, urls))
    if (hasPeer) peer.push(await img2dataset(list, urls))
    const some = Math.min(urls, 1000)
    alone.push(await sharpLimit(async (index) => pictures[index % pictures.length]!, some))
    served.push(await sharpLimit(fetched, some))
    loads.push(loadavg()[0]!)
  }
  web.close()
  const ratios = (of: (outcome: Outcome) => number | null, others: readonly (number | null)[]) =>
    own.map((outcome, round) => {
      const [value, other] = [of(outcome), others[round] ?? null]
      return value === null || other === null ? null : value / other
    })
  const rate = ({ rate }: Outcome) => rate
  const kept = `${own[0]!.kept} of ${urls} kept`
  reportAll('groundmill', own.map(rate), 'images/s', '', kept)
  reportAll(
    'groundmill, CPU',
    own.map(({ cpu }) => cpu),
    's',
  )
  reportAll(
    'groundmill, peak memory',
    own.map(({ peak }) => peak),
    'MB',
  )
  reportAll("sharp's own loop", alone, 'images/s')
  reportAll("sharp's own loop, fed by the same server", served, 'images/s')
  reportAll("over sharp's loop alone", ratios(rate, alone), 'times')
  reportAll("over sharp's loop, fed by the same server", ratios(rate, served), 'times', '>= 0.75')
  reportAll('load when a round was over', loads, 'tasks')
  if (!hasPeer) {
    const missing = `no img2dataset beside ${python}: name its Python with --python`
    report('rate over img2dataset', null, 'times', '>= 1.8', null, missing)
    return
  }
  reportAll('img2dataset', peer.map(rate), 'images/s', '', `${peer[0]!.kept} of ${urls} kept`)
  reportAll(
    'img2dataset, CPU',
    peer.map(({ cpu }) => cpu),
    's',
  )
  reportAll(
    'img2dataset, peak memory',
    peer.map(({ peak }) => peak),
    'MB',
  )
  reportAll('rate over img2dataset', ratios(rate, peer.map(rate)), 'times', '>= 1.8')
  const each = ({ cpu }: Outcome) => (cpu === null ? null : urls / cpu)
  reportAll('images for a CPU second over img2dataset', ratios(each, peer.map(each)), 'times', '>= 1.7')
  reportAll(
    'memory over img2dataset',
    ratios(
      ({ peak }) => peak,
      peer.map(({ peak }) => peak),
    ),
    'times',
    '<= 1',
  )
  reportAll(
    'kept over img2dataset',
    ratios(
      ({ kept }) => kept,
      peer.map(({ kept }) => kept),
    ),
    'times',
    '>= 1',
  )
}

/** A hundred hosts of which a tenth is dead, and one picture in fifty that takes five seconds; and all of them well. */
async function compareSlow(folder: string) {
  const count = Number(option('slow', '20000'))
  const crawl = { fetch: 'robots: false,', shardSize: 2500 }
  const [rates, ratios, peaks]: [Record<string, number[]>, number[], number[]] = [{}, [], []]
  for (let round = 0; round < Math.min(rounds, 2); round++) {
    const seen: number[] = []
    for (const [name, args] of [
      ['well', ['--slow', '0']],
      ['slow and dead', ['--slow', '5000', '--dead']],
    ] as const) {
      const web = await serve(folder, ...args)
      const list = await writeList('hosts.tsv', web, count, 100)
      const { kept, seconds, peak } = await groundmill(list, web, count, crawl)
      web.close()
      seen.push(kept / seconds)
      rates[name] = [...(rates[name] ?? []), kept / seconds]
      if (name !== 'well') peaks.push(peak ?? 0)
    }
    ratios.push(seen[1]! / seen[0]!)
  }
  for (const [name, values] of Object.entries(rates))
    reportAll(`a hundred hosts, ${name}`, values, 'images/s')
  reportAll('rate with slow and dead hosts, of that without', ratios, 'times', '>= 0.85', `${count} rows`)
  reportAll('peak memory with slow and dead hosts', peaks, 'MB')
}

/** From nothing to the first thousand the program itself grows: told is what comes after, too. */
async function compareMemory() {
  const folder = join(work, 'small')
  await makePictures(folder, 24, 320)
  const web = await serve(folder)
  const peaks: number[] = []
  for (const count of [1000, many / 10, many]) {
    const list = await writeList(`${count}.tsv`, web, count)
    const { peak, rate } = await groundmill(list, web, count, { imageSize: 64 })
    peaks.push(peak ?? 0)
    report(`peak memory at ${count} small pictures`, peak, 'MB', '', null, `${rate.toFixed(0)} images/s`)
  }
  web.close()
  const growth = peaks[2]! / peaks[0]!
  report(`growth from 1000 to ${many}`, growth, 'times', '<= 1.15', growth <= 1.15)
}

try {
  const folder = join(work, 'pictures')
  await makePictures(folder, 48, 1600)
  const only = option('only', '')
  if (only === '' || only === 'rate') await compareRates(folder)
  if (only === '' || only === 'slow') await compareSlow(folder)
  if (only === '' || only === 'memory') await compareMemory()
} finally {
  await rm(work, { recursive: true, force: true })
}
printReport('ingest', rounds, figures)
