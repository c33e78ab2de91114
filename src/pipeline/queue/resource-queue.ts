import type { Queue, QueueEvents } from 'bullmq'
import type { Resource } from '../stages/resource.js'
import type { Task } from '../tasks/task.js'
import type { QueueLibraries } from './load-bullmq.js'
import { type Connection, connectionOptions, type QueueAddress } from './queue-address.js'
import { type JobProgress, type JobResult, queuePrefix } from './queue-job.js'
import { parseJobProgress, parseJobResult } from './queue-messages.js'

/** What is heard of jobs. Any of it may be missed: Redis itself is asked every few seconds. */
export interface JobEvents {
  onCompleted(id: string, result: JobResult): void
  onFailed(id: string, reason: string): void
  onProgress(id: string, progress: JobProgress): void
}

/** How a job stands: waiting or being done, failed, or not there. */
export type JobState = { readonly is: 'there' | 'gone' } | { readonly is: 'failed'; readonly reason: string }

/** The queue of one resource, as its coordinators see it. */
export interface ResourceQueue {
  readonly queue: Queue
  /** Puts tasks, each under its id; one that is there already stays. What an earlier run failed at is put anew. */
  put(jobs: readonly { id: string; task: Task; priority: number }[]): Promise<void>
  states(ids: readonly string[]): Promise<JobState[]>
  /** Removes jobs that nobody is doing; the ids of those that somebody does. */
  remove(ids: readonly string[]): Promise<string[]>
  /** Ids of the jobs that begin with this, waiting and being done. */
  idsOf(prefix: string): Promise<string[]>
  workers(): Promise<number>
  close(): Promise<void>
}

const keptFailedSeconds = 7 * 24 * 3600

/** Three tries, 0.5 to 1 and then 1 to 2 seconds apart, so that many do not come at once. */
export const jobOptions = {
  attempts: 3,
  backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
  removeOnComplete: true,
  removeOnFail: { age: keptFailedSeconds },
  stackTraceLimit: 0,
} as const

/** BullMQ takes lower numbers first, from 1. */
const bullPriority = (priority: number) => 1000 - Math.min(priority, 999)

/** Opens the queue of a resource for a coordinator. `redis` is a connection for short commands. */
export function openResourceQueue(
  { bullmq }: QueueLibraries,
  address: QueueAddress,
  redis: Connection,
  resource: Resource,
  events: JobEvents,
): ResourceQueue {
  const connection = connectionOptions(address)
  const queue: Queue = new bullmq.Queue(resource, { connection, prefix: queuePrefix })
  const heard: QueueEvents = new bullmq.QueueEvents(resource, { connection, prefix: queuePrefix })
  // BullMQ goes on by itself after each; that Redis is away is told by our own connection.
  queue.on('error', () => {})
  heard.on('error', () => {})
  heard.on('completed', ({ jobId, returnvalue }) => {
    const result = parseJobResult(returnvalue)
    // One that is not said rightly is missed, and looked for in the run's storage.
    if (result) events.onCompleted(jobId, result)
  })
  heard.on('failed', ({ jobId, failedReason }) => events.onFailed(jobId, String(failedReason)))
  heard.on('progress', ({ jobId, data }) => events.onProgress(jobId, parseJobProgress(data)))
  const failedKey = queue.toKey('failed')

  return {
    queue,
    async put(jobs) {
      // A failed job is kept for whoever looks, and blocks its id.
      const asked = redis.pipeline()
      for (const { id } of jobs) asked.zscore(failedKey, id)
      const scores = valuesOf(await asked.exec())
      const failed = jobs.filter((_, index) => scores[index] !== null)
      await Promise.all(failed.map(({ id }) => queue.remove(id)))
      await queue.addBulk(
        jobs.map(({ id, task, priority }) => ({
          name: task.stage,
          data: task,
          opts: { ...jobOptions, jobId: id, priority: bullPriority(priority) },
        })),
      )
    },
    async states(ids) {
      const asked = redis.pipeline()
      for (const id of ids) {
        const key = queue.toKey(id)
        asked.exists(key).zscore(failedKey, id).hget(key, 'failedReason')
      }
      const answers = valuesOf(await asked.exec())
      return ids.map((_, index): JobState => {
        const [there, failed, reason] = answers.slice(3 * index, 3 * index + 3)
        if (there === 0) return { is: 'gone' }
        return failed === null ? { is: 'there' } : { is: 'failed', reason: String(reason ?? 'failed') }
      })
    },
    async remove(ids) {
      const removed = await Promise.all(ids.map((id) => queue.remove(id)))
      return ids.filter((_, index) => removed[index] !== 1)
    },
    async idsOf(prefix) {
      const answers = valuesOf(
        await redis
          .pipeline()
          .lrange(queue.toKey('wait'), 0, -1)
          .lrange(queue.toKey('active'), 0, -1)
          .zrange(queue.toKey('prioritized'), '0', '-1')
          .zrange(queue.toKey('delayed'), '0', '-1')
          .exec(),
      ) as string[][]
      return answers.flat().filter((id) => id.startsWith(prefix))
    },
    workers: () => queue.getWorkersCount(),
    async close() {
      await Promise.all([heard.close(), queue.close()])
    },
  }
}

/** The answers of a pipeline. Throws the first error among them. */
function valuesOf(answers: readonly [Error | null, unknown][] | null): unknown[] {
  return (answers ?? []).map(([error, value]) => {
    if (error) throw error
    return value
  })
}
