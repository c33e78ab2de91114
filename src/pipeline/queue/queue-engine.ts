import { refuseCredentials } from '../../base/credentials.js'
import type { Engine } from '../engines/engine.js'
import { resources } from '../stages/resource.js'
import type { Task, TaskResult } from '../tasks/task.js'
import { type Flight, openFlights } from './flights.js'
import { loadBullMq } from './load-bullmq.js'
import { openNotices } from './notices.js'
import { openJobPutter } from './put-jobs.js'
import { checkRedis, openConnection, queueAddress } from './queue-address.js'
import { stopChannel } from './queue-job.js'
import { reconcileJobs } from './reconcile-jobs.js'
import { openResourceQueue } from './resource-queue.js'
import { within } from './within.js'

export interface QueueEngineOptions {
  /** `redis://…`; where it is not given, GROUNDMILL_QUEUE. */
  readonly url?: string | undefined
  /** The laid-out pipeline, refused where an address in it holds a password or a key. */
  readonly pipeline: unknown
  /**
   * What the run's storage says of a task: what it gave, or undefined where it is not done. Where it is not
   * given, a task that Redis has lost is put again in any case, and a worker finds it made.
   */
  readonly findResult?: (task: Task) => Promise<TaskResult | undefined>
  readonly onNotice?: (text: string) => void
  /** Tasks released at once: they are all that Redis holds of a run. */
  readonly window?: number
  /** How often what is under way is held against Redis and the run's storage. */
  readonly reconcileMs?: number
  /** How long Redis may take to answer at the start. */
  readonly connectMs?: number
}

/** What is not answered for so long at the end is given up: jobs that stay are skipped where they are done. */
const closeMs = 5000

const throughQueue = 'cannot go through a queue: give it to each worker in its environment'

/**
 * Carries tasks over BullMQ to workers on any machine that reaches Redis and the run's storage. It keeps no
 * state: what is under way is held against Redis and the storage every few seconds, so that Redis may be away,
 * restarted or emptied, and this process killed and started again. Later stages are taken first.
 *
 * @throws UserError where a library is not installed, or Redis does not answer
 */
export async function openQueueEngine(options: QueueEngineOptions): Promise<Engine> {
  const { window = 1000, reconcileMs = 3000, connectMs = 10_000, findResult = nothingFound } = options
  const address = queueAddress(options.url)
  refuseCredentials(options.pipeline, 'The pipeline', throughQueue)
  const libraries = await loadBullMq()
  await checkRedis(libraries, address, connectMs)
  const redis = openConnection(libraries, address)
  const notices = openNotices(options.onNotice, redis, address)
  const flights = openFlights(
    (flight) => {
      putter.forget(flight)
      withdrawal.add(flight)
    },
    (text) => notices.tellOnce(text),
  )
  const queues = new Map(
    resources.map((resource) => [
      resource,
      openResourceQueue(libraries, address, redis, resource, flights.events),
    ]),
  )
  const stop = async (ids: readonly string[]) => {
    if (ids.length > 0) await redis.publish(stopChannel, JSON.stringify(ids))
  }
  const putter = openJobPutter(queues, stop, ({ message }) =>
    notices.tellOnce(`Redis at ${address.shown} does not take tasks (${message}); they are put again.`),
  )
  const withdrawal = openWithdrawal(async (dropped) => {
    await putter.settled()
    for (const [resource, queue] of queues) {
      const ids = dropped.filter((flight) => flight.resource === resource).map(({ id }) => id)
      await stop(await queue.remove(ids))
    }
  })
  const reconcileAll = async () => {
    for (const [resource, queue] of queues) {
      const here = flights.of(resource)
      if (here.length === 0) continue
      await reconcileJobs(
        here.filter(({ isPut }) => isPut),
        queue,
        flights,
        findResult,
      )
      putter.add(here.filter((flight) => !flight.isPut && flights.has(flight)))
      notices.tellWorkers(resource, await queue.workers(), flights.of(resource).length)
    }
  }
  const stopReconciling = startEvery(reconcileMs, reconcileAll, ({ message }) => notices.tellOnce(message))

  let isClosed = false
  return {
    window,
    isElsewhere: true,
    async submit(task, resource, submitOptions) {
      refuseCredentials(task.run, 'The run', throughQueue)
      if (isClosed) throw new Error('The queue is closed.')
      return flights.release(task, resource, submitOptions, (flight) => putter.add([flight]))
    },
    async close() {
      isClosed = true
      stopReconciling()
      flights.dropAll(new Error('The queue was closed.'))
      notices.close()
      const closing = withdrawal.settled().then(() => closeAll([...queues.values()]))
      await within(closeMs, closing)
      for (const { queue } of queues.values()) queue.disconnect().catch(() => {})
      redis.disconnect()
    },
  }
}

const nothingFound = async () => undefined

const closeAll = (queues: readonly { close(): Promise<void> }[]) =>
  Promise.all(queues.map((queue) => queue.close()))

/** Takes back tasks that were given up, many in one call. */
function openWithdrawal(withdraw: (dropped: readonly Flight[]) => Promise<void>) {
  let dropped: Flight[] = []
  let last: Promise<void> = Promise.resolve()
  return {
    add(flight: Flight) {
      if (dropped.length === 0)
        last = Promise.all([last, new Promise(setImmediate)]).then(() => {
          const some = dropped
          dropped = []
          // Where Redis does not answer they stay, and whoever takes them finds them made, or makes them.
          return withdraw(some).catch(() => {})
        })
      dropped.push(flight)
    },
    settled: () => last,
  }
}

/** Does something again and again, each time some milliseconds after the last one has ended. */
function startEvery(milliseconds: number, work: () => Promise<void>, onError: (error: Error) => void) {
  let isStopped = false
  let timer: NodeJS.Timeout | undefined
  const again = () => {
    timer = setTimeout(async () => {
      await work().catch((error: Error) => {
        if (!isStopped) onError(error)
      })
      if (!isStopped) again()
    }, milliseconds)
  }
  again()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
