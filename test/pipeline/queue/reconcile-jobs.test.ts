import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type Flight, openFlights } from '../../../src/pipeline/queue/flights.js'
import { reconcileJobs } from '../../../src/pipeline/queue/reconcile-jobs.js'
import type { JobState } from '../../../src/pipeline/queue/resource-queue.js'
import type { Task, TaskResult } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, tasksOf } from '../../helpers/fake-tasks.js'
import { names } from '../../helpers/queue-tasks.js'

/** Tasks that were put, with how each stands in Redis. */
function put(count: number) {
  const flights = openFlights(
    () => {},
    () => {},
  )
  const all: Flight[] = []
  const results = tasksOf('/run', names(count)).map((task) => {
    const done = flights.release(task, 'cpu', {}, (flight) => {
      flight.isPut = true
      all.push(flight)
    })
    done.catch(() => {})
    return done
  })
  const asked: (readonly string[])[] = []
  const look = (
    states: readonly JobState[],
    findResult: (task: Task) => Promise<TaskResult | undefined> = async () => undefined,
  ) =>
    reconcileJobs(
      all,
      {
        states: async (ids) => {
          asked.push(ids)
          return [...states]
        },
      },
      flights,
      findResult,
    )
  return { flights, all, results, asked, look }
}

const [there, gone] = [{ is: 'there' }, { is: 'gone' }] as const

describe('a task whose end was not heard', () => {
  it('is rejected where its job has failed', async () => {
    const { flights, all, results, asked, look } = put(2)
    await look([there, { is: 'failed', reason: '(user) mend it' }])
    expect(asked).toEqual([all.map(({ id }) => id)])
    await expect(results[1]).rejects.toThrow('mend it')
    expect(all.map((flight) => flights.has(flight))).toEqual([true, false])
    expect(all[0]).toMatchObject({ isPut: true, missed: 0 })
  })

  it('is done where its job has gone and the storage has what it gave, at the second look', async () => {
    const { all, results, look } = put(1)
    const found: Task[] = []
    const find = async (task: Task) => {
      found.push(task)
      return fakeResult({ skipped: true })
    }
    await look([gone], find)
    expect(found).toEqual([])
    expect(all[0]).toMatchObject({ isPut: true, missed: 1 })
    // It has come back: the looks begin anew.
    await look([there], find)
    await look([gone], find)
    expect(found).toEqual([])
    await look([gone], find)
    expect(found).toEqual([all[0]?.task])
    expect(await results[0]).toEqual(fakeResult({ skipped: true }))
  })

  it('is to be put again where nobody has it', async () => {
    const { flights, all, look } = put(1)
    await look([gone])
    await look([gone])
    expect(all[0]).toMatchObject({ isPut: false, missed: 0 })
    expect(flights.has(all[0] as Flight)).toBe(true)
  })

  it('is not looked for where it has ended in the meantime', async () => {
    const { flights, all, look } = put(2)
    await look([gone, gone])
    flights.events.onFailed(all[0]?.id as string, 'no')
    const found: unknown[] = []
    await look([gone, gone], async ({ shard }) => {
      found.push(shard)
      return undefined
    })
    expect(found).toEqual(['shard00001'])
    expect(all.map(({ isPut }) => isPut)).toEqual([true, false])
  })

  it('is looked for with a bounded number of others at once', async () => {
    const { all, look } = put(40)
    const states = all.map(() => gone)
    await look(states)
    let [now, most] = [0, 0]
    await look(states, async () => {
      most = Math.max(most, ++now)
      await sleep(1)
      now--
      return undefined
    })
    expect(most).toBe(16)
    expect(all.some(({ isPut }) => isPut)).toBe(false)
  })
})
