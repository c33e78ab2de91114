import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Flight } from '../../../src/pipeline/queue/flights.js'
import { openJobPutter } from '../../../src/pipeline/queue/put-jobs.js'
import { jobIdOf } from '../../../src/pipeline/queue/queue-job.js'
import type { ResourceQueue } from '../../../src/pipeline/queue/resource-queue.js'
import { tasksOf } from '../../helpers/fake-tasks.js'
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
