import { ownCores } from '../base/own-cores.js'
import { BoundSession } from '../graph/bound-session.js'
import type { Device } from '../graph/device.js'
import { sizeOf, type TensorData } from '../graph/ops/tensor.js'
import { floats, Session, type SessionOptions, type Value, valueNamed } from '../graph/session.js'
import { type GlipConfig, queriesOf } from '../model/network/config.js'
import { parameterSpecs } from '../model/parameter-specs.js'
import { partsOf, type TrainRun } from './config.js'
import type { TrainGraph } from './loss/train-graph.js'
import { type OptimizerState, stateViews } from './optimizer/optimizer-state.js'
import type { StepSessions } from './step-sessions.js'

/** Numbers of a network at most, of whose values and gradients each half has a copy: 16 MB. */
const smallNetwork = 2 ** 22

/**
 * Whether the halves of a batch are computed at once, each on half of the threads. The small operators of a small network
 * do not share out well: two sessions of one thread take a fifth less time for a batch of `toy` than one of two threads,
 * and of the processors too. A large network would have its gradients twice. Networks with queries, which are matched with
 * all boxes of a batch, and what is dropped, which is drawn for all of it, stay whole.
 */
export function isHalved(
  network: GlipConfig,
  config: Pick<TrainRun, 'batch' | 'micro_batch' | 'drop' | 'threads'>,
  device: Device,
): boolean {
  if (device !== 'cpu' || (config.threads || ownCores()) < 2) return false
  if (config.batch % 2 !== 0 || partsOf(config) > 1 || queriesOf(network) !== undefined) return false
  if (Object.values(config.drop).some((rate) => rate > 0)) return false
  return parameterSpecs(network).reduce((sum, { shape }) => sum + sizeOf(shape), 0) <= smallNetwork
}

/**
 * The sessions of a step that computes the halves of its batch at once, each in a thread of its own: the next batch is
 * made meanwhile.
 *
 * @param graph of one half
 * @param state in shared memory, with sums: the gradient of the second half is written there, and `takeStep` adds it
 */
export async function openHalfSessions(
  { step, totals }: Required<Pick<TrainGraph, 'step' | 'totals'>>,
  state: OptimizerState,
  { threads = 0 }: SessionOptions,
): Promise<StepSessions> {
  const each = Math.max(1, Math.floor((threads || ownCores()) / 2))
  const open = (gradient: 'gradient' | 'sum') => {
    const { feeds, into } = stateViews(state, gradient)
    return BoundSession.open(step, { ...feeds, ...into }, each)
  }
  const [totaller, first, second] = await Promise.all([
    Session.open(totals, { threads: 1, ownGraph: true }),
    open('gradient'),
    open('sum'),
  ])
  const halves = [first, second]
  const metrics = Object.keys(first.results).filter((name) => name.startsWith('metric.'))
  return {
    async run(part) {
      const shares = halves.map((_, half) => halfOf(part, half))
      const divisors = await addTotals(totaller, shares)
      const runs = halves.map((session, half) => {
        copyAll({ ...shares[half], ...divisors }, session.feeds)
        return session.run()
      })
      await Promise.all(runs)
      const metric = ({ results }: BoundSession, name: string) => Number(valueNamed(results, name).data[0])
      return Object.fromEntries(
        metrics.map((name) => [name.slice('metric.'.length), metric(first, name) + metric(second, name)]),
      )
    },
    async close() {
      await Promise.all([totaller, ...halves].map((session) => session.close()))
    },
  }
}

/** A half of the samples of a batch, which are counted by the first axis of all that is fed: views. */
function halfOf(batch: Readonly<Record<string, Value>>, half: number): Record<string, Value> {
  const cut = ({ data, shape, dtype }: Value): Value => {
    const [samples = 0, ...rest] = shape
    const length = data.length / 2
    return {
      data: data.subarray(half * length, (half + 1) * length) as TensorData,
      shape: [samples / 2, ...rest],
      dtype,
    }
  }
  return Object.fromEntries(Object.entries(batch).map(([name, value]) => [name, cut(value)]))
}

/** What the losses of both halves are divided by. */
async function addTotals(
  session: Session,
  halves: readonly Readonly<Record<string, Value>>[],
): Promise<Record<string, Value>> {
  const sums: Record<string, number> = {}
  for (const half of halves) {
    const fed = Object.fromEntries(session.inputs.map(({ name }) => [name, valueNamed(half, name)]))
    for (const [name, { data }] of Object.entries(await session.run(fed)))
      sums[name] = (sums[name] ?? 0) + Number(data[0])
  }
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, floats([sum], [])]))
}

/** Copies values to where those of their names are, if there are any. */
function copyAll(from: Readonly<Record<string, Value>>, to: Readonly<Record<string, Value>>): void {
  for (const [name, { data }] of Object.entries(from))
    (to[name]?.data as Float32Array)?.set(data as Float32Array)
}
