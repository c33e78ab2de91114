/**
 * Ingest of pictures from a local server against img2dataset: the same list, resize and quality, two cores.
 *
 *     npm run bench:ingest -- [--urls 2000] [--rounds 3] [--python PYTHON] [--memory 10000] [--json]
 *
 * PYTHON is an interpreter that has img2dataset; without it groundmill's figures stand alone. With
 * `--memory 100000` the peak is also measured there, over small pictures.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import sharp from 'sharp'
import { random } from '../src/base/random.js'
import { measureProcess } from './measure-process.js'
import { gatherFigures, median, option, printReport } from './report.js'

const urls = Number(option('urls', '2000'))
const rounds = Number(option('rounds', '3'))
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

async function serve(folder: string) {
  const child = spawn(process.execPath, [...tsx, 'bench/ingest-server.ts', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(child.stdout, 'data')
  return { url: `http://127.0.0.1:${Number(String(line))}`, close: () => child.kill() }
}

async function writeList(name: string, url: string, count: number): Promise<string> {
  const path = join(work, name)
  const lines = Array.from({ length: count }, (_, index) => `${url}/${index}.jpg\tpicture ${index}\n`)
  await writeFile(path, `url\tcaption\n${lines.join('')}`)
  return path
}

interface Outcome {
  readonly rate: number
  readonly kept: number
  readonly cpu: number | null
  readonly peak: number | null
}

async function groundmill(list: string, url: string, count: number, imageSize = size): Promise<Outcome> {
  const out = join(work, 'groundmill')
  const pipeline = join(work, 'pipeline.yaml')
  const fetch = `{ concurrency: 32, per_host: 64, per_address: 64, allow_hosts: ["${url}"] }`
  const image = `{ image_size: ${imageSize}, quality: ${quality} }`
  const stage = `{ name: web, uses: ingest, with: { format: tsv, path: ${list}, fetch: ${fetch}, image: ${image} } }`
  await writeFile(pipeline, `name: bench\nstages: [${stage}]\n`)
  const ran = await measureProcess(process.execPath, [
    'dist/cli/main.js',
    'run',
    pipeline,
    '--dataset',
    out,
    '--json',
  ])
  await rm(out, { recursive: true })
  if (ran.code !== 0) throw new Error(`groundmill failed: ${ran.err}`)
  const kept = JSON.parse(ran.out).funnel[0].out as number
  return { rate: count / ran.seconds, kept, cpu: ran.cpuSeconds, peak: ran.peakMb }
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
  return { rate: count / ran.seconds, kept, cpu: ran.cpuSeconds, peak: ran.peakMb }
}

/** Pictures a second of sharp alone: decode, resize and encode of the same bytes, with nothing around it. */
async function sharpLimit(folder: string, count: number): Promise<number> {
  const names = await readdir(folder)
  const pictures = await Promise.all(names.map((name) => readFile(join(folder, name))))
  sharp.concurrency(1)
  sharp.cache(false)
  const limit = pLimit(3)
  const start = performance.now()
  const resize = async (bytes: Buffer) =>
    sharp(bytes).resize(size, size, { fit: 'inside' }).jpeg({ quality }).toBuffer()
  await Promise.all(
    Array.from({ length: count }, (_, index) => limit(resize, pictures[index % pictures.length]!)),
  )
  return (1000 * count) / (performance.now() - start)
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

const { figures, report } = gatherFigures()
try {
  const folder = join(work, 'pictures')
  await makePictures(folder, 48, 1600)
  const server = await serve(folder)
  const list = await writeList('pairs.tsv', server.url, urls)
  const hasPeer = await isThere(join(dirname(python), 'img2dataset'))
  const [own, peer, limit]: [Outcome[], Outcome[], number[]] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    own.push(await groundmill(list, server.url, urls))
    if (hasPeer) peer.push(await img2dataset(list, urls))
    limit.push(await sharpLimit(folder, Math.min(urls, 500)))
  }
  server.close()
  const of = (all: readonly Outcome[], pick: (outcome: Outcome) => number | null) => {
    const values = all.map(pick).filter((value) => value !== null)
    return values.length > 0 ? median(values) : null
  }
  report(
    'groundmill',
    of(own, ({ rate }) => rate),
    'images/s',
    '',
    null,
    `${own[0]!.kept} of ${urls} kept`,
  )
  report(
    'groundmill, CPU',
    of(own, ({ cpu }) => cpu),
    's',
  )
  report(
    'groundmill, peak memory',
    of(own, ({ peak }) => peak),
    'MB',
  )
  report("sharp's own loop", median(limit), 'images/s')
  report('groundmill over sharp', median(own.map(({ rate }, round) => rate / limit[round]!)), 'times')
  const missing = `no img2dataset beside ${python}: name its Python with --python`
  if (hasPeer) {
    const ratio = median(own.map(({ rate }, round) => rate / peer[round]!.rate))
    const memory = (of(own, ({ peak }) => peak) ?? 0) / (of(peer, ({ peak }) => peak) ?? 1)
    report(
      'img2dataset',
      of(peer, ({ rate }) => rate),
      'images/s',
      '',
      null,
      `${peer[0]!.kept} of ${urls} kept`,
    )
    report(
      'img2dataset, CPU',
      of(peer, ({ cpu }) => cpu),
      's',
    )
    report(
      'img2dataset, peak memory',
      of(peer, ({ peak }) => peak),
      'MB',
    )
    report('rate over img2dataset', ratio, 'times', '>= 1.5', ratio >= 1.5)
    const time = (of(peer, ({ cpu }) => cpu) ?? 0) / (of(own, ({ cpu }) => cpu) ?? 1)
    report('images for a CPU second over img2dataset', time, 'times')
    report('memory over img2dataset', memory, 'times', '<= 1', memory <= 1)
    report(
      'kept over img2dataset',
      own[0]!.kept / peer[0]!.kept,
      'times',
      '>= 1',
      own[0]!.kept >= peer[0]!.kept,
    )
  } else report('rate over img2dataset', null, 'times', '>= 1.5', null, missing)

  const smallFolder = join(work, 'small')
  await makePictures(smallFolder, 24, 320)
  const small = await serve(smallFolder)
  const peaks: number[] = []
  // From nothing to the first thousand the program itself grows: what may not grow with the list is what
  // comes after.
  for (const count of [1000, many / 2, many]) {
    const list = await writeList(`${count}.tsv`, small.url, count)
    const { peak, rate } = await groundmill(list, small.url, count, 64)
    peaks.push(peak ?? 0)
    report(`peak memory at ${count} small pictures`, peak, 'MB', '', null, `${rate.toFixed(0)} images/s`)
  }
  small.close()
  const growth = peaks[2]! / peaks[1]!
  report(`growth from ${many / 2} to ${many}`, growth, 'times', '<= 1.15', growth <= 1.15)
} finally {
  await rm(work, { recursive: true, force: true })
}
printReport('ingest', rounds, figures)
