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
import { Session } from '../src/graph/session.js'
import type { GlipConfig } from '../src/model/network/config.js'
import { glipConfig } from '../src/model/network/presets.js'
import { trainGraph } from '../src/train/loss/train-graph.js'
import { adamWStep } from '../src/train/optimizer/adamw.js'
import { initialState, stateViews } from '../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../src/train/optimizer/parameter-groups.js'
import { type Figure, median, option, printReport } from './report.js'
import { firstValue, makeBatch, optimizer, trainingOf, writeStepInputs } from './train-batch.js'

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
  const training = trainingOf(size, Number(option('boxes', '100')))
  const graph = trainGraph(config, training)
  const batch = makeBatch(config, training)
  const folder = mkdtempSync(join(tmpdir(), 'groundmill-bench-'))
  const file = join(folder, 'inputs.safetensors')
  await writeStepInputs(file, config, training, graph.parameters, batch)

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
