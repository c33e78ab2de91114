import { type Resource, resources } from '../stages/resource.js'
import type { Task } from '../tasks/task.js'
import { loadBullMq } from './load-bullmq.js'
import { checkRedis, connectionOptions, queueAddress } from './queue-address.js'
import { queuePrefix } from './queue-job.js'
import { isTask } from './queue-messages.js'

/** A task that a worker has. */
export interface ActiveTask {
  readonly run: string
  readonly stage: string
  readonly shard?: string
  /** Of the worker: its host and process. */
  readonly worker: string | null
  readonly seconds: number
}

/** What one resource's queue holds. */
export interface ResourceStatus {
  readonly waiting: number
  readonly active: number
  /** To be tried again, or put back. */
  readonly delayed: number
  /** Set aside in the last seven days. */
  readonly failed: number
  /** Workers that are connected, by host and process. */
  readonly workers: readonly string[]
  readonly oldest: ActiveTask | null
}

export interface QueueStatus {
  /** Where it is, without user and password. */
  readonly queue: string
  readonly resources: Readonly<Record<Resource, ResourceStatus>>
}

/**
 * What a queue holds, and who works on it.
 *
 * @param url `redis://…`; where it is not given, GROUNDMILL_QUEUE
 * @throws UserError where a library is not installed, or Redis does not answer within `connectMs`
 */
export async function readQueueStatus(url?: string, connectMs = 3000): Promise<QueueStatus> {
  const address = queueAddress(url)
  const { bullmq, ...libraries } = await loadBullMq()
  await checkRedis({ bullmq, ...libraries }, address, connectMs)
  const read = async (resource: Resource): Promise<ResourceStatus> => {
    const queue = new bullmq.Queue(resource, { connection: connectionOptions(address), prefix: queuePrefix })
    queue.on('error', () => {})
    try {
      const [counts, workers, active] = await Promise.all([
        queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed'),
        queue.getWorkers(),
        queue.getActive(),
      ])
      const { waiting = 0, prioritized = 0, delayed = 0, failed = 0 } = counts
      const begun = active.filter((job) => job?.processedOn !== undefined && isTask(job.data))
      const oldest = begun.sort((a, b) => (a.processedOn ?? 0) - (b.processedOn ?? 0))[0]
      const names = workers.map(({ rawname = '' }) => /:w:(.*)$/.exec(rawname)?.[1] ?? '')
      return {
        waiting: waiting + prioritized,
        active: counts.active ?? 0,
        delayed,
        failed,
        // Each has two connections, of the same name.
        workers: [...new Set(names)].sort(),
        oldest: oldest ? activeTask(oldest.data, oldest.processedBy, oldest.processedOn) : null,
      }
    } finally {
      await queue.close()
    }
  }
  const all = await Promise.all(resources.map(async (resource) => [resource, await read(resource)] as const))
  return { queue: address.shown, resources: Object.fromEntries(all) as Record<Resource, ResourceStatus> }
}

const activeTask = ({ run, stage, shard }: Task, worker = '', since = 0): ActiveTask => ({
  run,
  stage,
  ...(shard !== undefined && { shard }),
  worker: worker || null,
  seconds: (Date.now() - since) / 1000,
})
