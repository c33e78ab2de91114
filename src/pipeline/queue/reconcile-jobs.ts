import pLimit from 'p-limit'
import type { Task, TaskResult } from '../tasks/task.js'
import type { Flight, Flights } from './flights.js'
import type { ResourceQueue } from './resource-queue.js'

/** The event that a job has ended may come a moment after the job has gone. */
const missedLooks = 2
const atOnce = 16

/**
 * Holds tasks that were put against what Redis has and what the run's storage says: one that failed is
 * rejected, one that Redis has no more is done, or is to be put again (`isPut` becomes false).
 */
export async function reconcileJobs(
  put: readonly Flight[],
  queue: Pick<ResourceQueue, 'states'>,
  flights: Pick<Flights, 'has' | 'events' | 'resolve'>,
  findResult: (task: Task) => Promise<TaskResult | undefined>,
): Promise<void> {
  const states = await queue.states(put.map(({ id }) => id))
  const gone: Flight[] = []
  put.forEach((flight, index) => {
    const state = states[index]
    if (state?.is === 'failed') flights.events.onFailed(flight.id, state.reason)
    flight.missed = state?.is === 'gone' ? flight.missed + 1 : 0
    if (flight.missed >= missedLooks) gone.push(flight)
  })
  const limit = pLimit(atOnce)
  await Promise.all(
    gone.map((flight) =>
      limit(async () => {
        if (!flights.has(flight)) return
        const result = await findResult(flight.task)
        if (result) flights.resolve(flight, result)
        else Object.assign(flight, { isPut: false, missed: 0 })
      }),
    ),
  )
}
