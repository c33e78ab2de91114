/**
 * Times training steps of a preset for bench/train-step.ts, in a process of its own, as bench/parity/time_step.py does:
 * `tsx bench/time-step.ts NETWORK STEPS BOXES`. Prints times, processor times and the process's peak memory.
 */
import { floats, Session, type Value } from '../src/graph/session.js'
import { isHalved, openHalfSessions } from '../src/train/half-sessions.js'
import { trainGraph } from '../src/train/loss/train-graph.js'
import { initialState, stateViews } from '../src/train/optimizer/optimizer-state.js'
import { groupParameters } from '../src/train/optimizer/parameter-groups.js'
import { openStepSessions } from '../src/train/step-sessions.js'
import { takeStep } from '../src/train/take-step.js'
import { peakMb } from './measure-process.js'
import { firstValue, makeBatch, optimizer, subjects, trainingOf } from './train-batch.js'

const [, , network = '', steps = '', boxes = ''] = process.argv
const subject = subjects[network]
if (!subject) throw new Error(`no network ${network}`)
const { config, batch: size } = subject
const training = trainingOf(size, Number(boxes))
const drop = { path: 0, dropout: 0, block: 0 }
const halved = isHalved(config, { batch: size, drop, threads: 2 }, 'cpu')
const graph = trainGraph(config, { ...training, halved })
const batch = makeBatch(config, training)
const given = new Map(
  graph.parameters.map((parameter) => [parameter.name, { read: async () => firstValue(parameter) }]),
)
const groups = groupParameters(graph.parameters, { language_rate: 1, bias_rate: 1 })
const state = await initialState(groups, graph.parameters, 1, given, {
  sums: halved,
  shared: halved,
})

const timed = async (run: () => Promise<unknown>) => {
  const before = process.cpuUsage()
  const start = performance.now()
  await run()
  const time = performance.now() - start
  const { user, system } = process.cpuUsage(before)
  return { time, cpu: (user + system) / 1000 }
}

const options = { threads: 2, ownGraph: true }
const { totals } = graph
const step = totals
  ? await openHalfSessions({ ...graph, totals }, state, options)
  : await openStepSessions(graph, state, { network: config, parts: 1 }, options)
let done = 0
const trainOnce = () => {
  done++
  return timed(async () => {
    takeStep(state, [await step.run(batch)], done, 1e-3, optimizer)
  })
}
for (let index = 0; index < 2; index++) await trainOnce()
const times: Awaited<ReturnType<typeof trainOnce>>[] = []
for (let index = 0; index < Number(steps); index++) times.push(await trainOnce())
const memory = peakMb()
await step.close()

const forward = await Session.open(trainGraph(config, training).forward, options)
// A session of this thread takes no shared memory.
const values = Object.entries(stateViews(state).feeds).map(([name, { data, shape }]) => [
  name,
  floats((data as Float32Array).slice(), shape),
])
const feeds: Record<string, Value> = { ...batch, ...Object.fromEntries(values) }
const fed = Object.fromEntries(forward.inputs.map(({ name }) => [name, feeds[name]!]))
await forward.run(fed)
const ahead: number[] = []
for (let index = 0; index < Number(steps); index++) ahead.push((await timed(() => forward.run(fed))).time)
await forward.close()
process.stdout.write(
  JSON.stringify({
    steps: times.map(({ time }) => time),
    cpu: times.map(({ cpu }) => cpu),
    memory,
    forward: ahead,
  }),
)
