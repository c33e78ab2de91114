/**
 * Labelling and training steps on a device, in batches of several sizes, against PyTorch on the same machine.
 *
 *     npm run bench:device -- [--device auto] [--networks toy,glip-t] [--models FOLDER] [--python python3]
 *                             [--batches 1,4,16] [--seconds 3] [--minutes 8] [--json]
 *
 * `toy` at its own size, `glip-t` at --size (320) pixels and 64 tokens, both with random weights; of FOLDER each folder of
 * Hugging Face, in half precision too where it has `onnx/model_fp16.onnx`. A row takes --seconds for each side and three
 * runs at least; what does not fit into --minutes any more is left out, and said so. PyTorch runs on the CPU for `cpu`,
 * else on the GPU that it finds; without a Python that has it the figures of PyTorch are null. Runs from a bundle too:
 * `bench-device`.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { random } from '../src/base/random.js'
import { type Device, type DeviceChoice, needsPortable, resolveDevice } from '../src/graph/device.js'
import { SessionPool } from '../src/graph/session-pool.js'
import { writeModelFolder } from '../src/model/model-folder.js'
import type { GlipConfig } from '../src/model/network/config.js'
import { glipConfig } from '../src/model/network/presets.js'
import { specialTokens } from '../src/model/word-piece.js'
import { openTeacher } from '../src/teacher/open-teacher.js'
import type { Query } from '../src/teacher/teacher.js'
import { trainGraph } from '../src/train/loss/train-graph.js'
import { adamWStep } from '../src/train/optimizer/adamw.js'
import { initialState } from '../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../src/train/optimizer/parameter-groups.js'
import { openStepSessions } from '../src/train/step-sessions.js'
import { gatherFigures, median, option, printHelp, printReport, refuse } from './report.js'
import { firstValue, makeBatch, optimizer, trainingOf, writeStepInputs } from './train-batch.js'

await printHelp(import.meta.url)
const device: Device = await resolveDevice(option('device', 'auto') as DeviceChoice).catch(
  ({ message }: Error) => refuse(message),
)
const batches = option('batches', '1,4,16').split(',').map(Number)
const seconds = Number(option('seconds', '3'))
const deadline = performance.now() + 60_000 * Number(option('minutes', '8'))
const threads = Number(option('threads', '0'))
const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const scratch = mkdtempSync(join(tmpdir(), 'groundmill-bench-'))
const { figures, report } = gatherFigures()
/** The longest that a row has taken, in milliseconds: what the next one may take. */
let longest = 0

const subjects: Readonly<Record<string, () => GlipConfig>> = {
  toy: () => glipConfig('toy', 400),
  'glip-t': () => {
    const { image_resize: _, ...config } = glipConfig('glip-t', 30_522, {
      image_size: Number(option('size', '320')),
      max_tokens: 64,
    })
    return config
  },
}

const phrases = ['a red dog', 'the person', 'two cats', 'big ball']
const text = phrases.join(', ')
const spans = phrases.map((phrase) => {
  const start = text.indexOf(phrase)
  return [start, start + phrase.length] as const
})

/** Noise, of a size that photographs of COCO have or of the network's own. */
function queriesOf(count: number, width: number, height: number): Query[] {
  return Array.from({ length: count }, (_, index) => {
    const draw = random('bench device', index)
    const data = Uint8Array.from({ length: width * height * 3 }, () => draw.integer(256))
    return { picture: { width, height, data, scale: 1 }, text, phrases: spans }
  })
}

/** Milliseconds of each run: two that do not count, then three, and more while the time lasts. */
async function timed(run: () => Promise<unknown>): Promise<number[]> {
  for (let index = 0; index < 2; index++) await run()
  const times: number[] = []
  const until = performance.now() + 1000 * seconds
  while (times.length < 3 || (performance.now() < until && times.length < 100)) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return times
}

/** Milliseconds of PyTorch's runs, or why there are none. */
async function torchTimes(
  subject: string,
  work: string,
  isHalf: boolean,
  shapes = {},
): Promise<number[] | string> {
  const script = new URL('parity/time_device.py', import.meta.url).pathname
  const on = device === 'cpu' ? 'cpu' : 'gpu'
  const precision = isHalf ? 'float16' : 'float32'
  const args = [script, subject, work, on, precision, String(seconds), JSON.stringify(shapes)]
  const left = Math.ceil(Math.max(1, deadline - performance.now()))
  try {
    const { stdout } = await promisify(execFile)(python, args, { timeout: left })
    return JSON.parse(stdout).times
  } catch (error) {
    const {
      stderr = '',
      killed,
      code,
      message,
    } = error as {
      readonly stderr?: string
      readonly killed?: boolean
      readonly code?: unknown
      readonly message: string
    }
    if (killed) return 'PyTorch had no time left'
    if (code === 'ENOENT') return `there is no ${python}`
    return `PyTorch: ${(stderr.trim() || message).split('\n').at(-1)?.slice(0, 90)}`
  }
}

/** One row: this program and PyTorch on the same work, and how often the time of PyTorch this program takes. */
async function row(
  name: string,
  batch: number,
  own: () => Promise<number[]>,
  peer: () => Promise<number[] | string>,
): Promise<void> {
  const since = performance.now()
  if (since + longest > deadline) return report(name, null, 'images/s', '', null, 'there was no time left')
  try {
    const times = await own()
    const torch = await peer()
    const range = `${median(times).toFixed(1)} ms, ${times.length} runs`
    report(name, (1000 * batch) / median(times), 'images/s', '', null, range)
    const ratio = typeof torch === 'string' ? null : median(times) / median(torch)
    const met = ratio === null || device === 'cpu' ? null : ratio <= 1.5
    const goal = device === 'cpu' ? '' : '<= 1.5'
    report(`${name} / PyTorch`, ratio, 'times', goal, met, typeof torch === 'string' ? torch : undefined)
  } catch (error) {
    report(name, null, 'images/s', '', null, (error as Error).message.slice(0, 120))
  }
  longest = Math.max(longest, performance.now() - since)
  process.stderr.write(`${name}: ${((performance.now() - since) / 1000).toFixed(1)} s\n`)
}

/** The networks of this program: both works, each batch. */
async function measureOwn(name: string, config: GlipConfig): Promise<void> {
  const words = [...specialTokens, ...new Set(text.replaceAll(',', ' ,').split(' '))]
  const vocabulary = new Map(words.map((word, index) => [word, index]))
  while (vocabulary.size < config.text.vocab_size) vocabulary.set(`unused${vocabulary.size}`, vocabulary.size)
  for (const batch of batches) {
    const training = trainingOf(batch, 100)
    const graph = trainGraph(config, { ...training, portable: needsPortable(device) })
    const inputs = makeBatch(config, training)
    const file = join(scratch, 'inputs.safetensors')
    await writeStepInputs(file, config, training, graph.parameters, inputs)
    const folder = join(scratch, `${name}-${batch}`)
    const parameters = graph.parameters.map((parameter) => ({
      name: parameter.name,
      shape: parameter.shape,
      read: async () => firstValue(parameter),
    }))
    await writeModelFolder(folder, { config, vocabulary, parameters, card: '# Random weights\n', batch })
    const teach = async () => {
      const teacher = await openTeacher(folder, { device, ...(threads > 0 && { threads }) })
      try {
        const queries = queriesOf(batch, config.image_size, config.image_size)
        return await timed(() => teacher.detect(queries, { floor: 0.1, nms: 0.6, max_boxes: 20 }))
      } finally {
        await teacher.close()
      }
    }
    await row(`${name}, ${batch}: label`, batch, teach, () => torchTimes(file, 'teach', false))
    rmSync(folder, { recursive: true })
    const train = async () => {
      const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
      const values = new Map(graph.parameters.map((one) => [one.name, { read: async () => firstValue(one) }]))
      const state = await initialState(groups, graph.parameters, 1, values)
      const options = { device, threads, ownGraph: true }
      const sessions = await openStepSessions(graph, state, { network: config, parts: 1 }, options)
      let step = 0
      try {
        return await timed(async () => {
          await sessions.run(inputs)
          adamWStep(state, ++step, 1e-3, optimizer)
        })
      } finally {
        await sessions.close()
      }
    }
    await row(`${name}, ${batch}: train`, batch, train, () => torchTimes(file, 'train', false))
  }
}

/** A folder of Hugging Face: what one run of its session is given is what PyTorch is given. */
async function measureFolder(name: string, folder: string): Promise<void> {
  const files = ['model', 'model_fp16'].filter((file) => existsSync(join(folder, 'onnx', `${file}.onnx`)))
  for (const file of files)
    for (const batch of batches) {
      let shapes: Record<string, readonly number[]> = {}
      const teach = async () => {
        const teacher = await openTeacher(folder, { device, file, batch, ...(threads > 0 && { threads }) })
        const { run } = SessionPool.prototype
        SessionPool.prototype.run = function (feeds) {
          shapes = Object.fromEntries(Object.entries(feeds).map(([input, { shape }]) => [input, shape]))
          return run.call(this, feeds)
        }
        try {
          const queries = queriesOf(batch, 640, 480)
          return await timed(() => teacher.detect(queries, { floor: 0.1, nms: 0.6, max_boxes: 20 }))
        } finally {
          SessionPool.prototype.run = run
          await teacher.close()
        }
      }
      const isHalf = file === 'model_fp16'
      const title = `${name}${isHalf ? ' in half' : ''}, ${batch}: label`
      await row(title, batch, teach, () => torchTimes(folder, 'teach', isHalf, shapes))
    }
}

try {
  for (const name of option('networks', 'toy,glip-t').split(',')) {
    const config = subjects[name]
    if (!config) throw new Error(`--networks ${name}: use ${Object.keys(subjects).join(', ')}`)
    await measureOwn(name, config())
  }
  const models = option('models', '')
  if (models !== '')
    for (const name of readdirSync(models).sort()) await measureFolder(name, resolve(models, name))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
printReport(`device ${device}`, Object.keys(figures).length, figures)
