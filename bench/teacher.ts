/**
 * Teachers through `Teacher.detect` against raw `session.run` on the tensors that it prepares, and against
 * PyTorch.
 *
 *     npm run bench:teacher -- --models FOLDER [--rounds 3] [--pictures 4] [--threads 2] [--python python3] [--json]
 *
 * FOLDER holds teacher folders, such as bench/parity/export_teachers.py and write-glip-teacher.ts write.
 * Decoding a JPEG is not part of either side; resizing, normalising, tokenising, and reading the boxes are
 * part of detect. The three sides take turns. Without a Python that has torch, torchvision and transformers
 * the figures of PyTorch are null.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { random } from '../src/base/random.js'
import { Session, type Value } from '../src/graph/session.js'
import { SessionPool } from '../src/graph/session-pool.js'
import type { Picture } from '../src/pictures/picture.js'
import { modelFile } from '../src/teacher/folder/hf-folder.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import type { Query } from '../src/teacher/teacher.js'
import { type Figure, median, option, printReport } from './report.js'

const models = option('models', '')
const rounds = Number(option('rounds', '3'))
const count = Number(option('pictures', '4'))
const threads = Number(option('threads', '2'))
const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
if (models === '') throw new Error('--models FOLDER is missing: bench/parity/export_teachers.py writes one')

const phrases = ['a red dog', 'the person', 'two cats', 'big ball']
const text = phrases.join(', ')
const spans = phrases.map((phrase) => {
  const start = text.indexOf(phrase)
  return [start, start + phrase.length] as const
})
const detect = { floor: 0.1, nms: 0.6, max_boxes: 20 }

/** Noise of the sizes that photographs of COCO have. */
function pictureOf(index: number): Picture {
  const draw = random('bench teacher', index)
  const [width, height] = index % 2 === 0 ? [640, 480] : [480, 640]
  const data = Uint8Array.from({ length: width * height * 3 }, () => draw.integer(256))
  return { width, height, data, scale: 1 }
}
const pictures = Array.from({ length: count }, (_, index) => pictureOf(index))

type Feeds = Record<string, Value>

/** Runs `work` and keeps copies of what sessions are given meanwhile. */
async function recording(work: () => Promise<unknown>): Promise<Feeds[]> {
  const feeds: Feeds[] = []
  const { run } = SessionPool.prototype
  SessionPool.prototype.run = function (given) {
    feeds.push(
      Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name, { ...value, data: value.data.slice() }]),
      ),
    )
    return run.call(this, given)
  }
  try {
    await work()
    return feeds
  } finally {
    SessionPool.prototype.run = run
  }
}

interface Cost {
  /** Milliseconds on the clock. */
  readonly time: number
  /**
   * Milliseconds of the processor, all threads together: what other programs do at the time matters less to
   * it.
   */
  readonly processor: number
}

async function timed(work: () => Promise<unknown>): Promise<Cost> {
  const start = performance.now()
  const used = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(used)
  return { time: performance.now() - start, processor: (user + system) / 1000 }
}

/** Milliseconds of PyTorch for the same inputs; undefined, with the reason, where it cannot be run. */
function torchTime(
  folder: string,
  feeds: readonly Feeds[],
): { readonly time?: number; readonly note?: string } {
  const shapes = feeds.map((one) =>
    Object.fromEntries(Object.entries(one).map(([name, { shape }]) => [name, shape])),
  )
  try {
    const script = new URL('parity/time_teacher.py', import.meta.url).pathname
    const output = execFileSync(python, [script, folder, JSON.stringify(shapes), String(threads), '1'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return { time: median(JSON.parse(output).times) }
  } catch {
    return { note: `${python} has no torch, torchvision and transformers, or they do not know this model` }
  }
}

const figures: Record<string, Figure> = {}
for (const name of readdirSync(models).sort()) {
  const folder = resolve(models, name)
  const kind = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')).model_type
  const teacher = await openTeacher(folder, { threads })
  const ownGraph = kind === 'groundmill-glip'
  const raw = await Session.open(ownGraph ? join(folder, 'model.onnx') : await modelFile(folder, 'model'), {
    threads,
    ownGraph,
  })
  const queries: Query[] = pictures.map((picture) => ({ picture, text, phrases: spans }))
  // The first run is slower than the rest on either side.
  const feeds = await recording(() => teacher.detect(queries, detect))
  for (const one of feeds) await raw.run(one)
  const whole: Cost[] = []
  const bare: Cost[] = []
  const torch: number[] = []
  let note: string | undefined
  for (let round = 0; round < rounds; round++) {
    whole.push(await timed(() => teacher.detect(queries, detect)))
    bare.push(
      await timed(async () => {
        for (const one of feeds) await raw.run(one)
      }),
    )
    if (note === undefined) {
      const answer = torchTime(folder, feeds)
      if (answer.time === undefined) note = answer.note
      else torch.push(answer.time)
    }
  }
  await teacher.close()
  await raw.close()
  const ratio = median(whole.map(({ time }, round) => time / bare[round]!.time))
  const work = median(whole.map(({ processor }, round) => processor / bare[round]!.processor))
  const speed = (costs: readonly Cost[]) => (1000 * count) / median(costs.map(({ time }) => time))
  figures[`${name} detect`] = { value: speed(whole), unit: 'images/s', goal: '', met: null }
  figures[`${name} session.run`] = { value: speed(bare), unit: 'images/s', goal: '', met: null }
  figures[`${name} detect / session.run`] = {
    value: ratio,
    unit: 'times',
    goal: '<= 1.03',
    met: ratio <= 1.03,
  }
  figures[`${name} the same in processor time`] = { value: work, unit: 'times', goal: '', met: null }
  const against = torch.length === 0 ? null : median(torch.map((time, round) => whole[round]!.time / time))
  figures[`${name} detect / PyTorch`] = {
    value: against,
    unit: 'times',
    goal: '<= 1',
    met: against === null ? null : against <= 1,
    note: against === null ? note : undefined,
  }
}
printReport('teacher', rounds, figures)
