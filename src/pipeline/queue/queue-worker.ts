import { hostname } from 'node:os'
import type { HostLimiter } from '../../ingest/fetch/host-limiter.js'
import { redisHostLimiter } from '../../ingest/fetch/redis-host-limiter.js'
import { openStorage } from '../../storage/open-storage.js'
import type { TaskProcess } from '../engines/task-process.js'
import type { Resource } from '../stages/resource.js'
import { hasStoredPipeline } from '../tasks/stored-pipeline.js'
import type { Task, TaskResult } from '../tasks/task.js'
import { type Outcome, outcomes } from './job-endings.js'
import { loadBullMq } from './load-bullmq.js'
import { openNotices } from './notices.js'
import { checkRedis, openConnection, queueAddress } from './queue-address.js'
import { stopChannel } from './queue-job.js'
import { parseStopIds } from './queue-messages.js'
import { openSlot } from './queue-slot.js'
import { within } from './within.js'

export interface QueueWorkerOptions {
  /** `redis://…`; where it is not given, GROUNDMILL_QUEUE. */
  readonly url?: string | undefined
  /** What it takes tasks of: one task of each at a time, each in a child process of its own. */
  readonly take: readonly Resource[]
  /** Makes a child process, whose crawls keep the limits that all workers of this Redis share; called with the first task of a resource, and where one had to be killed. */
  readonly open: (limiter: HostLimiter) => TaskProcess
  /** Ends it: nothing is taken any more, and what is not done in time is put back. */
  readonly signal: AbortSignal
  readonly onNotice?: (text: string) => void
  /** Called when it begins to take tasks. */
  readonly onReady?: () => void
  readonly onStart?: (task: Task) => void
  readonly onEnd?: (task: Task, outcome: Outcome, result?: TaskResult) => void
  /** Whether this worker can read what a task needs of its run's storage. */
  readonly canRead?: (task: Task) => Promise<boolean>
  /** How long a task belongs to a worker of which nothing is heard. */
  readonly lockMs?: number
  /** How often tasks of such workers are looked for. */
  readonly stalledMs?: number
  /** How many workers may be lost with a task before it is set aside. */
  readonly mostStalled?: number
  /** For how long a task that cannot be done here and now is left to others. */
  readonly putBackMs?: number
  /** For how long a task is kept whose run's storage this worker cannot read. */
  readonly unreadableUntilMs?: number
  /** How long tasks may go on after the signal. */
  readonly graceMs?: number
  /** How long they may take to stop then, before their process is killed. */
  readonly killMs?: number
  readonly connectMs?: number
}

/** Tasks by how they ended. */
export type WorkerResult = Readonly<Record<Outcome, number>>

/**
 * Takes tasks from a queue until the signal, and has each done in a child process: the lock of a task is
 * renewed here, where nothing computes. A task whose lock is lost is left, since another worker has it; so is
 * one that its coordinator gives up. One that this worker cannot do (its storage cannot be read, somebody works
 * there) is put back without spending a try.
 *
 * @throws UserError where a library is not installed, or Redis does not answer at the start
 */
export async function runQueueWorker(options: QueueWorkerOptions): Promise<WorkerResult> {
  const address = queueAddress(options.url)
  const { signal, graceMs = 20_000, killMs = 8000, connectMs = 10_000 } = options
  const libraries = await loadBullMq()
  await checkRedis(libraries, address, connectMs)
  const redis = openConnection(libraries, address)
  // A connection that listens for messages takes no other commands.
  const limits = openConnection(libraries, address)
  const limiter = redisHostLimiter(limits)
  const notices = openNotices(options.onNotice, redis, address)
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>
  const slots = options.take.map((resource) =>
    openSlot(libraries, address, resource, {
      name: `${hostname().replace(/[^\w.-]/g, '_')}-${process.pid}`,
      open: () => options.open(limiter),
      canRead: options.canRead ?? isRunVisible,
      notices,
      onStart: (task) => options.onStart?.(task),
      onEnd: (task, outcome, result) => {
        counts[outcome]++
        options.onEnd?.(task, outcome, result)
      },
      lockMs: options.lockMs ?? 90_000,
      stalledMs: options.stalledMs ?? 30_000,
      mostStalled: options.mostStalled ?? 3,
      putBackMs: options.putBackMs ?? 15_000,
      unreadableUntilMs: options.unreadableUntilMs ?? 600_000,
      killMs,
    }),
  )
  redis.on('message', (_channel, ids) => {
    for (const id of parseStopIds(ids)) for (const slot of slots) slot.stop(id)
  })
  await redis.subscribe(stopChannel)
  options.onReady?.()
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))

  const closed = Promise.all(slots.map((slot) => slot.close(graceMs)))
  // Where Redis is away nothing can be put back: the locks run out, and others take the tasks.
  await within(graceMs + killMs + 1000, closed)
  notices.close()
  for (const slot of slots) slot.abandon()
  await within(1000, limiter.close())
  limits.disconnect()
  redis.disconnect()
  return counts
}

const visible = new Set<string>()

/** Whether a task's pipeline can be read in the storage of its run. One that was seen stays seen. */
async function isRunVisible({ run, pipeline }: Task): Promise<boolean> {
  const key = `${run}\n${pipeline}`
  if (visible.has(key)) return true
  const isThere = await hasStoredPipeline(openStorage(run), pipeline)
  if (isThere) visible.add(key)
  return isThere
}
