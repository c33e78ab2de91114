import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Flight } from '../../../src/pipeline/queue/flights.js'
import { openJobPutter } from '../../../src/pipeline/queue/put-jobs.js'
import { jobIdOf, pipelinePrefix, runPrefix } from '../../../src/pipeline/queue/queue-job.js'
import type { ResourceQueue } from '../../../src/pipeline/queue/resource-queue.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { pipelines, tasksOf } from '../../helpers/fake-tasks.js'
import { names } from '../../helpers/queue-tasks.js'

const flightsOf = (count: number): Flight[] =>
  tasksOf('/run', names(count)).map((task) => ({
    ...{ id: jobIdOf(task), task, resource: 'cpu', priority: 0, isPut: false, missed: 0 },
  }))

const unexpected = ({ message }: Error) => expect.unreachable(message)

function slowQueue(fails = 0) {
  const puts: string[][] = []
  const queue = {
    async put(jobs: readonly { id: string }[]) {
      puts.push(jobs.map(({ id }) => id))
      await sleep(30)
      if (puts.length <= fails) throw new Error('OOM')
    },
    idsOf: async () => [],
    remove: async () => [],
  }
  return { puts, queues: new Map([['cpu' as const, queue as unknown as ResourceQueue]]) }
}

it('puts a task once, however often it is added while it is being put, and none that is forgotten', async () => {
  const { puts, queues } = slowQueue()
  const putter = openJobPutter(queues, async () => {}, unexpected)
  const [first, second, third] = flightsOf(3)
  if (!first || !second || !third) throw new Error('no tasks')
  putter.add([first, second])
  putter.forget(second)
  await sleep(15)
  expect(puts).toEqual([[first.id]])
  putter.add([first, third])
  await putter.settled()
  expect(puts).toEqual([[first.id], [third.id]])
  expect([first, second, third].map(({ isPut }) => isPut)).toEqual([true, false, true])
})

it('puts many in calls of a bounded size', async () => {
  const { puts, queues } = slowQueue()
  const putter = openJobPutter(queues, async () => {}, unexpected)
  putter.add(flightsOf(600))
  await putter.settled()
  expect(puts.map(({ length }) => length)).toEqual([250, 250, 100])
})

it('tells what Redis does not take, and puts it when it is added again', async () => {
  const { puts, queues } = slowQueue(1)
  const errors: string[] = []
  const putter = openJobPutter(
    queues,
    async () => {},
    ({ message }) => errors.push(message),
  )
  const flights = flightsOf(2)
  putter.add(flights)
  await putter.settled()
  expect(errors).toEqual(['OOM'])
  expect(flights.some(({ isPut }) => isPut)).toBe(false)
  putter.add(flights)
  await putter.settled()
  expect(puts).toHaveLength(2)
  expect(flights.every(({ isPut }) => isPut)).toBe(true)
})

/** A queue that holds jobs of before, some of which somebody is doing, and what is done with it. */
function oldQueue(ids: readonly string[], active: readonly string[] = []) {
  const done: unknown[] = []
  let fails = 0
  const queue = {
    idsOf: async (prefix: string) => {
      done.push(['look', prefix])
      if (fails-- > 0) throw new Error('no answer')
      return ids.filter((id) => id.startsWith(prefix))
    },
    remove: async (all: readonly string[]) => {
      done.push(['remove', ...all])
      return all.filter((id) => active.includes(id))
    },
    put: async (jobs: readonly { id: string }[]) => {
      done.push(['put', ...jobs.map(({ id }) => id)])
    },
  }
  const failOnce = () => {
    fails = 1
  }
  return { done, failOnce, queue: queue as unknown as ResourceQueue }
}

it('removes what was left of a run before the first task of a pipeline, once, in all queues', async () => {
  const [task] = tasksOf('/run', ['chunk/a']) as [Task]
  const [run, ours] = [runPrefix(task), pipelinePrefix(task)]
  const left = [`${ours}chunk.old`, `${ours}chunk.going`, `${run}theirs.old`, `${run}theirs.going`]
  const cpu = oldQueue([...left, 'of.another'], [left[1] as string, left[3] as string])
  const gpu = oldQueue([])
  const stopped: unknown[] = []
  const putter = openJobPutter(
    new Map([
      ['cpu' as const, cpu.queue],
      ['gpu' as const, gpu.queue],
    ]),
    async (ids) => void stopped.push(ids),
    unexpected,
  )
  const [first, second, third] = flightsOf(3) as [Flight, Flight, Flight]
  putter.add([first, second])
  await putter.settled()
  const put = [first.id, second.id]
  expect(cpu.done).toEqual([
    ['look', run],
    ['remove', ...left],
    ['put', ...put],
  ])
  // What the same pipeline is making is wanted.
  expect(stopped).toEqual([[left[3]], []])
  expect(gpu.done).toEqual([['look', run], ['remove']])
  putter.add([third])
  await putter.settled()
  expect(cpu.done.slice(3)).toEqual([['put', third.id]])
  const [other] = tasksOf('/run', ['chunk/a'], pipelines[1]) as [Task]
  putter.add([{ ...third, id: jobIdOf(other), task: other }])
  await putter.settled()
  expect(cpu.done.slice(4).map((one) => (one as string[])[0])).toEqual(['look', 'remove', 'put'])
})

it('looks again for what was left where that failed', async () => {
  const { done, failOnce, queue } = oldQueue([])
  const errors: string[] = []
  const putter = openJobPutter(
    new Map([['cpu' as const, queue]]),
    async () => {},
    ({ message }) => errors.push(message),
  )
  const flights = flightsOf(1)
  failOnce()
  putter.add(flights)
  await putter.settled()
  expect(errors).toEqual(['no answer'])
  expect(flights[0]?.isPut).toBe(false)
  putter.add(flights)
  await putter.settled()
  expect(done.map((one) => (one as string[])[0])).toEqual(['look', 'look', 'remove', 'put'])
  expect(flights[0]?.isPut).toBe(true)
})

it('is settled at once where nothing is put, and puts nothing of a resource that it has no queue for', async () => {
  const { puts, queues } = slowQueue()
  const putter = openJobPutter(queues, async () => {}, unexpected)
  await putter.settled()
  const [first] = flightsOf(1) as [Flight]
  putter.forget(first)
  putter.forget({ ...first, resource: 'gpu' })
  expect(puts).toEqual([])
})
