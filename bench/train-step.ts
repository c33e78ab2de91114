/**
 * A training step of the toy preset against PyTorch on the same parameters and batch, two threads, in turns.
 *
 *     npm run bench:train-step -- [--rounds 5] [--python python3] [--json]
 *
 * Without a Python that has torch and numpy the figures of PyTorch are null.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { floats, longs, Session, type Value } from '../src/graph/session.js'
import { anchorsOf } from '../src/model/anchors.js'
import { initialValue } from '../src/model/parameters.js'
import { glipConfig } from '../src/model/presets.js'
import { writeSafetensors } from '../src/model/safetensors.js'
import { random } from '../src/random.js'
import { assignTargets } from '../src/train/assign-targets.js'
import { emptyState, initialState } from '../src/train/optimizer-state.js'
import { trainGraph } from '../src/train/train-graph.js'
import { median, option, printReport } from './report.js'

const rounds = Number(option('rounds', '5'))
const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const config = glipConfig('toy', 400)
const training = {
  batch: 16,
  max_boxes: 12,
  temperature: 0.07,
  weights: { classification: 1, regression: 1, grounding: 0.2, contrastive: 0.2 },
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.01, clip_norm: 1, ema: 0.99 },
}
const steps = 10

function makeBatch(): Record<string, Value> {
  const draw = random('train-step')
  const { batch: n, max_boxes } = training
  const { image_size: size, text } = config
  const anchors = anchorsOf(config)
  const rows = max_boxes + 1
  const length = text.max_tokens
  const boxes = Float32Array.from([10, 12, 40, 44, 50, 20, 90, 70, 30, 60, 55, 88])
  const { assigned, centerness } = assignTargets(anchors, boxes)
  const box = new Float32Array(n * rows * 4)
  const phrase = new Float32Array(n * rows * length)
  for (let sample = 0; sample < n; sample++) {
    box.set(boxes, sample * rows * 4)
    for (let index = 0; index < 3; index++) {
      const at = (sample * rows + index) * length
      phrase.fill(1, at + 1 + 4 * index, at + 4 + 4 * index)
    }
  }
  const repeat = (values: ArrayLike<number>) =>
    Float32Array.from({ length: n * values.length }, (_, at) => values[at % values.length])
  const ones = floats(new Float32Array(n * length).fill(1), [n, length])
  return {
    image: floats(
      Float32Array.from({ length: n * size * size * 3 }, () => draw.normal()),
      [n, size, size, 3],
    ),
    ids: longs(
      Array.from({ length: n * length }, () => draw.integer(400)),
      [n, length],
    ),
    mask: ones,
    words: ones,
    phrase: floats(phrase, [n, rows, length]),
    box: floats(box, [n, rows, 4]),
    assigned: longs(
      Array.from(repeat(assigned), (index) => (index < 0 ? max_boxes : index)),
      [n, anchors.count],
    ),
    centerness: floats(repeat(centerness), [n, anchors.count]),
    regress: floats(new Float32Array(n).fill(1), [n, 1]),
  }
}

const graph = trainGraph(config, training)
const batch = makeBatch()
const step = await Session.open(graph.step, { threads: 2 })
const forward = await Session.open(graph.forward, { threads: 2 })
let state = await initialState(graph.groups, graph.parameters, 1)
let spare = emptyState(graph.groups)
let done = 0

async function trainOnce(): Promise<number> {
  done++
  const { beta1, beta2 } = training.optimizer
  const rates = floats([1e-3, 1 - beta1 ** done, 1 - beta2 ** done], [3])
  const into = Object.fromEntries(Object.entries(spare).map(([name, value]) => [`next.${name}`, value]))
  const start = performance.now()
  await step.run({ ...batch, ...state, rates }, into)
  const time = performance.now() - start
  ;[state, spare] = [spare, state]
  return time
}

async function forwardOnce(): Promise<number> {
  const feeds = Object.fromEntries(
    forward.inputs.map(({ name }) => [name, (batch[name] ?? state[name]) as Value]),
  )
  const start = performance.now()
  await forward.run(feeds)
  return performance.now() - start
}

const folder = mkdtempSync(join(tmpdir(), 'groundmill-bench-'))
const file = join(folder, 'inputs.safetensors')
const asFloats = ([name, { data, shape }]: [string, Value]) => ({
  name: `batch.${name}`,
  shape,
  data: Float32Array.from<number | bigint>(data as Float32Array, Number),
})
const values = graph.parameters.map((parameter) => ({
  name: `parameter.${parameter.name}`,
  shape: parameter.shape,
  data: initialValue(parameter, 1),
}))
const metadata = { config: JSON.stringify(config), training: JSON.stringify(training) }
await writeSafetensors(file, [...values, ...Object.entries(batch).map(asFloats)], metadata)

/** Milliseconds of steps and peak memory in MB that PyTorch needs, or why it cannot be asked. */
function timeTorch(): { readonly steps: readonly number[]; readonly memory: number } | string {
  try {
    const script = new URL('./parity/time_toy.py', import.meta.url).pathname
    return JSON.parse(
      execFileSync(python, [script, file, String(steps)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
  } catch {
    return `${python} has no torch and numpy`
  }
}

for (let index = 0; index < 3; index++) await trainOnce()
await forwardOnce()
const own: number[] = []
const ownForward: number[] = []
const torch: number[] = []
const ratios: number[] = []
let memory: number | undefined
let missing = ''
for (let round = 0; round < rounds; round++) {
  const times: number[] = []
  for (let index = 0; index < steps; index++) times.push(await trainOnce())
  for (let index = 0; index < steps; index++) ownForward.push(await forwardOnce())
  own.push(...times)
  const peer = timeTorch()
  if (typeof peer === 'string') missing = peer
  else {
    torch.push(...peer.steps)
    ratios.push(median(times) / median(peer.steps))
    memory = peer.memory
  }
}
rmSync(folder, { recursive: true })

const time = median(own)
const ratio = ratios.length > 0 ? median(ratios) : null
const spread = `rounds ${ratios.map((one) => one.toFixed(2)).join(', ')}`
printReport('train-step', rounds * steps, {
  step: {
    value: time,
    unit: 'ms',
    goal: '',
    met: null,
    note: `${Math.min(...own).toFixed(0)} to ${Math.max(...own).toFixed(0)}`,
  },
  'forward and losses': { value: median(ownForward), unit: 'ms', goal: '', met: null },
  'step over forward': { value: time / median(ownForward), unit: 'times', goal: '', met: null },
  images: { value: (training.batch * 1000) / time, unit: '1/s', goal: '', met: null },
  'peak memory': {
    value: process.resourceUsage().maxRSS / 1024,
    unit: 'MB',
    goal: '',
    met: null,
    note: 'whole process, both graphs',
  },
  'PyTorch step': {
    value: torch.length > 0 ? median(torch) : null,
    unit: 'ms',
    goal: '',
    met: null,
    note: missing,
  },
  'PyTorch peak memory': { value: memory ?? null, unit: 'MB', goal: '', met: null, note: missing },
  'step over PyTorch': {
    value: ratio,
    unit: 'times',
    goal: '<= 1',
    met: ratio === null ? null : ratio <= 1,
    note: missing || spread,
  },
})
