/**
 * A training step of presets against PyTorch on the same parameters and batch, two threads, in turns.
 *
 *     npm run bench:train-step -- [--networks toy,glip-t] [--rounds 5] [--steps 10] [--python python3] [--json]
 *
 * `toy` with 16 pictures of its own size; `glip-t` with one of 128 x 128 pixels and 32 tokens, which needs 16
 * GB of memory with PyTorch beside it. Without a Python that has torch, torchvision and numpy the figures of
 * PyTorch are null.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { random } from '../src/base/random.js'
import { sizeOf } from '../src/graph/ops/tensor.js'
import { floats, longs, Session, type Value } from '../src/graph/session.js'
import { anchorsOf } from '../src/model/network/anchors.js'
import type { GlipConfig } from '../src/model/network/config.js'
import type { Parameter } from '../src/model/network/parameters.js'
import { glipConfig } from '../src/model/network/presets.js'
import { torchLayout, toTorch } from '../src/model/parameter-specs.js'
import { assignTargets } from '../src/train/examples/assign-targets.js'
import { type TrainGraphConfig, trainGraph } from '../src/train/loss/train-graph.js'
import { adamWStep } from '../src/train/optimizer/adamw.js'
import { initialState, stateViews } from '../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../src/train/optimizer/parameter-groups.js'
import { writeSafetensors } from '../src/weights/safetensors.js'
import { type Figure, median, option, printReport } from './report.js'

const rounds = Number(option('rounds', '5'))
const steps = Number(option('steps', '10'))
const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const names = option('networks', 'toy,glip-t').split(',')

interface Subject {
  readonly config: GlipConfig
  readonly batch: number
  /** Most of PyTorch's time that a step may take. */
  readonly goal: number
}

const subjects: Readonly<Record<string, Subject>> = {
  toy: { config: glipConfig('toy', 400), batch: 16, goal: 1 },
  'glip-t': {
    config: glipConfig('glip-t', 30_522, { image_size: 128, max_tokens: 32 }),
    batch: 1,
    goal: 1.2,
  },
}

const trainingOf = (batch: number): TrainGraphConfig => ({
  batch,
  max_boxes: Number(option('boxes', '100')),
  temperature: 0.07,
  weights: { classification: 1, regression: 1, grounding: 0.2, contrastive: 0.2 },
})

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weight_decay: 0.01, clip_norm: 1, ema: 0.99 }

function makeBatch(config: GlipConfig, { batch: n, max_boxes }: TrainGraphConfig): Record<string, Value> {
  const draw = random('train-step')
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
    Float32Array.from({ length: n * values.length }, (_, at) => values[at % values.length]!)
  const ones = floats(new Float32Array(n * length).fill(1), [n, length])
  return {
    image: floats(
      Float32Array.from({ length: n * size * size * 3 }, () => draw.normal()),
      [n, size, size, 3],
    ),
    ids: longs(
      Array.from({ length: n * length }, () => draw.integer(text.vocab_size)),
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

const draw = random('values')
const noise = Float32Array.from({ length: 65_521 }, () => draw.normal())

/**
 * A parameter's first values, of noise that repeats: drawing hundreds of millions of numbers takes a minute.
 */
function firstValue({ shape, init }: Parameter): Float32Array {
  const values = new Float32Array(sizeOf(shape))
  if (init.kind === 'constant') return values.fill(init.value)
  const spread = init.kind === 'normal' ? init.std : init.bound / Math.sqrt(3)
  for (let index = 0; index < values.length; index++) values[index] = spread * noise[index % noise.length]!
  return values
}

interface StepTimes {
  /** Milliseconds by the clock. */
  readonly steps: readonly number[]
  /** Milliseconds of processors: what other work beside it does not change. */
  readonly cpu: readonly number[]
}

/** What steps in PyTorch need, with the peak memory in MB, or why it cannot be asked. */
function timeTorch(file: string): (StepTimes & { readonly memory: number }) | string {
  try {
    const script = new URL('./parity/time_step.py', import.meta.url).pathname
    return JSON.parse(
      execFileSync(python, [script, file, String(steps)], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
  } catch {
    return `${python} has no torch, torchvision and numpy`
  }
}

async function measure({ config, batch: size, goal }: Subject): Promise<Record<string, Figure>> {
  const training = trainingOf(size)
  const graph = trainGraph(config, training)
  const batch = makeBatch(config, training)
  const folder = mkdtempSync(join(tmpdir(), 'groundmill-bench-'))
  const file = join(folder, 'inputs.safetensors')
  const isOfficial = config.backbone.kind === 'swin'
  const values = graph.parameters.map((parameter) => {
    const spec = torchLayout(parameter)
    return {
      name: `parameter.${parameter.name}`,
      shape: isOfficial ? spec.torchShape : parameter.shape,
      read: async () => (isOfficial ? toTorch(spec, firstValue(parameter)) : firstValue(parameter)),
    }
  })
  const fed = Object.entries(batch).map(([name, { data, shape }]) => ({
    name: `batch.${name}`,
    shape,
    data: Float32Array.from<number | bigint>(data as Float32Array, Number),
  }))
  await writeSafetensors(file, [...values, ...fed], {
    config: JSON.stringify(config),
    training: JSON.stringify(training),
  })

  const step = await Session.open(graph.step, { threads: 2, ownGraph: true })
  const forward = await Session.open(graph.forward, { threads: 2, ownGraph: true })
  const given = new Map(
    graph.parameters.map((parameter) => [parameter.name, { read: async () => firstValue(parameter) }]),
  )
  const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
  const state = await initialState(groups, graph.parameters, 1, given)
  const { feeds, into } = stateViews(state)
  let done = 0

  const timed = async (run: () => Promise<unknown>) => {
    const before = process.cpuUsage()
    const start = performance.now()
    await run()
    const time = performance.now() - start
    const { user, system } = process.cpuUsage(before)
    return { time, cpu: (user + system) / 1000 }
  }
  const trainOnce = () => {
    done++
    return timed(async () => {
      await step.run({ ...batch, ...feeds }, into)
      adamWStep(state, done, 1e-3, optimizer)
    })
  }
  const forwardOnce = () => {
    const fed = forward.inputs.map(({ name }) => [name, batch[name] ?? feeds[name]])
    return timed(() => forward.run(Object.fromEntries(fed)))
  }

  for (let index = 0; index < 2; index++) await trainOnce()
  await forwardOnce()
  const own: number[] = []
  const ownForward: number[] = []
  const torch: number[] = []
  const ratios: number[] = []
  const cpuRatios: number[] = []
  let memory: number | undefined
  let missing = ''
  for (let round = 0; round < rounds; round++) {
    const times: number[] = []
    const cpu: number[] = []
    for (let index = 0; index < steps; index++) {
      const one = await trainOnce()
      times.push(one.time)
      cpu.push(one.cpu)
    }
    own.push(...times)
    for (let index = 0; index < steps; index++) ownForward.push((await forwardOnce()).time)
    const peer = timeTorch(file)
    if (typeof peer === 'string') missing = peer
    else {
      torch.push(...peer.steps)
      ratios.push(median(times) / median(peer.steps))
      cpuRatios.push(median(cpu) / median(peer.cpu))
      memory = peer.memory
    }
  }
  await step.close()
  await forward.close()
  rmSync(folder, { recursive: true })

  const time = median(own)
  const ratio = ratios.length > 0 ? median(ratios) : null
  const reported = (value: number | null, unit: string, note?: string): Figure => ({
    value,
    unit,
    goal: '',
    met: null,
    note,
  })
  return {
    step: reported(time, 'ms', `${Math.min(...own).toFixed(0)} to ${Math.max(...own).toFixed(0)}`),
    'forward and losses': reported(median(ownForward), 'ms'),
    images: reported((size * 1000) / time, '1/s'),
    'peak memory': reported(process.resourceUsage().maxRSS / 1024, 'MB', 'whole process'),
    'PyTorch step': reported(torch.length > 0 ? median(torch) : null, 'ms', missing),
    'PyTorch peak memory': reported(memory ?? null, 'MB', missing),
    'step over PyTorch': {
      value: ratio,
      unit: 'times',
      goal: `<= ${goal}`,
      met: ratio === null ? null : ratio <= goal,
      note: missing || `rounds ${ratios.map((one) => one.toFixed(2)).join(', ')}`,
    },
    'processor time over PyTorch': reported(
      cpuRatios.length > 0 ? median(cpuRatios) : null,
      'times',
      missing || `rounds ${cpuRatios.map((one) => one.toFixed(2)).join(', ')}`,
    ),
  }
}

const figures: Record<string, Figure> = {}
for (const name of names) {
  const subject = subjects[name]
  if (!subject) throw new Error(`--networks ${name}: use ${Object.keys(subjects).join(', ')}`)
  for (const [key, figure] of Object.entries(await measure(subject))) figures[`${name}: ${key}`] = figure
}
printReport('train-step', rounds * steps, figures)
