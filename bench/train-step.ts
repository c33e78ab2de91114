/**
 * A training step of presets against PyTorch on the same parameters and batch, two threads, in turns, each side in a
 * process of its own.
 *
 *     npm run bench:train-step -- [--networks toy,glip-t] [--rounds 5] [--steps 10] [--python python3] [--json]
 *
 * `toy` with 16 pictures of its own size; `glip-t` with one of 128 x 128 pixels and 32 tokens. Without a Python that
 * has torch, torchvision and numpy the figures of PyTorch are null.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { trainGraph } from '../src/train/loss/train-graph.js'
import { gatherFigures, median, option, printReport, refuse, spread } from './report.js'
import { makeBatch, subjects, trainingOf, writeStepInputs } from './train-batch.js'

const rounds = Number(option('rounds', '5'))
const steps = option('steps', '10')
const boxes = option('boxes', '100')
const python = option('python', process.env.GROUNDMILL_PYTHON ?? 'python3')
const names = option('networks', 'toy,glip-t').split(',')
/** Most of PyTorch's time that a step may take. */
const goals: Readonly<Record<string, number>> = { toy: 0.85, 'glip-t': 0.5 }

interface StepTimes {
  /** Milliseconds by the clock. */
  readonly steps: readonly number[]
  /** Milliseconds of processors: what other work beside it does not change. */
  readonly cpu: readonly number[]
  /** Peak of the process, in MB. */
  readonly memory: number
}

const ask = (command: string, args: readonly string[]) =>
  JSON.parse(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))

const timeOwn = (name: string): StepTimes & { readonly forward: readonly number[] } =>
  ask(process.execPath, [
    '--import',
    'tsx',
    new URL('./time-step.ts', import.meta.url).pathname,
    name,
    steps,
    boxes,
  ])

/** What steps in PyTorch need; undefined where it cannot be asked. */
function timeTorch(file: string): StepTimes | undefined {
  try {
    return ask(python, [new URL('./parity/time_step.py', import.meta.url).pathname, file, steps])
  } catch {
    return undefined
  }
}

const { figures, report } = gatherFigures()

async function measure(name: string) {
  const subject = subjects[name]
  if (!subject) refuse(`--networks ${name}: use ${Object.keys(subjects).join(', ')}`)
  const { config, batch: size } = subject
  const training = trainingOf(size, Number(boxes))
  const folder = mkdtempSync(join(tmpdir(), 'groundmill-bench-'))
  const file = join(folder, 'inputs.safetensors')
  await writeStepInputs(
    file,
    config,
    training,
    trainGraph(config, training).parameters,
    makeBatch(config, training),
  )
  const own: ReturnType<typeof timeOwn>[] = []
  const torch: StepTimes[] = []
  for (let round = 0; round < rounds; round++) {
    own.push(timeOwn(name))
    const peer = timeTorch(file)
    if (peer) torch.push(peer)
  }
  rmSync(folder, { recursive: true })

  const times = own.flatMap((round) => round.steps)
  const memory = Math.max(...own.map((round) => round.memory))
  report(`${name}: step`, median(times), 'ms', '', null, spread(times, 0))
  report(`${name}: forward and losses`, median(own.flatMap(({ forward }) => forward)), 'ms')
  report(`${name}: images`, (size * 1000) / median(times), '1/s')
  report(`${name}: peak memory`, memory, 'MB')
  const goal = goals[name] ?? 1
  if (torch.length < rounds) {
    const missing = `${python} has no torch, torchvision and numpy`
    report(`${name}: step over PyTorch`, null, 'times', `<= ${goal}`, null, missing)
    return
  }
  const ratios = (of: (times: StepTimes) => readonly number[]) =>
    own.map((round, at) => median(of(round)) / median(of(torch[at]!)))
  const theirs = torch.flatMap((round) => round.steps)
  const theirMemory = Math.max(...torch.map((round) => round.memory))
  report(`${name}: PyTorch step`, median(theirs), 'ms', '', null, spread(theirs, 0))
  report(`${name}: PyTorch peak memory`, theirMemory, 'MB')
  const clock = ratios((round) => round.steps)
  const ratio = median(clock)
  report(`${name}: step over PyTorch`, ratio, 'times', `<= ${goal}`, ratio <= goal, spread(clock, 2))
  const cpu = ratios((round) => round.cpu)
  report(`${name}: processor time over PyTorch`, median(cpu), 'times', '', null, spread(cpu, 2))
  report(`${name}: memory over PyTorch`, memory / theirMemory, 'times', '<= 1', memory <= theirMemory)
}

for (const name of names) await measure(name)
printReport('train-step', rounds * Number(steps), figures)
