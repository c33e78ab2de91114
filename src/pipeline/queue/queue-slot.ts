import { setTimeout as sleep } from 'node:timers/promises'
import type { Job } from 'bullmq'
import { asDiskFull } from '../../base/disk-full.js'
import { explainError } from '../../base/explain-error.js'
import type { TaskProcess } from '../engines/task-process.js'
import type { Resource } from '../stages/resource.js'
import type { Task, TaskResult } from '../tasks/task.js'
import { failureOf } from '../tasks/task-error.js'
import { type EndingOptions, jobEndings, type Leave } from './job-endings.js'
import { openJobReporter } from './job-reporter.js'
import { openJobRunner } from './job-runner.js'
import type { QueueLibraries } from './load-bullmq.js'
import { connectionOptions, type QueueAddress } from './queue-address.js'
import { failedReason, type JobResult, publicResult, queuePrefix } from './queue-job.js'
import { parseTask } from './queue-messages.js'

export interface SlotOptions extends EndingOptions {
  readonly open: () => TaskProcess
  readonly canRead: (task: Task) => Promise<boolean>
  readonly onStart: (task: Task) => void
  readonly lockMs: number
  readonly stalledMs: number
  readonly mostStalled: number
  readonly unreadableUntilMs: number
  readonly killMs: number
}

/** Takes tasks of one resource, one at a time. */
export interface QueueSlot {
  /** Leaves a job, if it is here or on its way. */
  stop(id: string): void
  /** Takes no more, lets the one that is here go on for some time, and puts it back then. */
  close(graceMs: number): Promise<void>
  /** Ends the child process and the connection at once. */
  abandon(): void
}

/** A word that a job is not wanted may come before the job does. */
const stopHoldsMs = 5000
/** For how long no task is begun after one for which there was no room. */
const fullHoldsMs = 1000
/** A worker that cannot read a run takes its time, so as not to run through all of its tasks. */
const unreadableMs = 5000

export function openSlot(
  { bullmq }: QueueLibraries,
  address: QueueAddress,
  resource: Resource,
  options: SlotOptions,
): QueueSlot {
  const {
    name,
    canRead,
    notices,
    onStart,
    onEnd,
    lockMs,
    stalledMs,
    mostStalled,
    putBackMs,
    unreadableUntilMs,
    killMs,
  } = options
  const runner = openJobRunner(options.open, killMs)
  const stopped = new Map<string, number>()
  let fullAt = Number.NEGATIVE_INFINITY
  let current: { readonly id: string; readonly leaving: AbortController } | undefined

  const leave = (why: Leave, id = current?.id) => {
    if (current && current.id === id) current.leaving.abort(why)
  }

  const { putBackSaying, endOf } = jobEndings(bullmq, options)
  /** What is no task is set aside at once, for whoever looks: nobody could do it. */
  const taskOf = (job: Job, id: string): Task => {
    try {
      return parseTask(job.data, id)
    } catch (error) {
      const failure = failureOf(error)
      notices.tellOnce(failure.message)
      const failed = new bullmq.UnrecoverableError(failedReason(failure))
      delete failed.stack
      throw failed
    }
  }
  const process = async (job: Job<Task, JobResult>, token = ''): Promise<JobResult> => {
    const id = String(job.id)
    const task = taskOf(job, id)
    const leaving = new AbortController()
    current = { id, leaving }
    const why = () => leaving.signal.reason as Leave | undefined
    const report = openJobReporter(job)
    onStart(task)
    try {
      const told = stopped.get(id)
      if (told !== undefined && performance.now() - told < stopHoldsMs) leaving.abort('stopped')
      const unreadable = await whyUnreadable(canRead, task)
      if (unreadable !== undefined && !leaving.signal.aborted) {
        await sleep(Math.min(unreadableMs, putBackMs), undefined, { signal: leaving.signal }).catch(() => {})
        // Of a run that is gone nobody asks for it. Who does puts it again when it is missed.
        if (Date.now() - job.timestamp > unreadableUntilMs) leaving.abort('stopped')
        if (!leaving.signal.aborted) return await putBackSaying(job, token, unreadable)
      }
      // Where the disk is full the others fail as well: who waits for them says so in a moment.
      const wait = fullAt + fullHoldsMs - performance.now()
      if (wait > 0) await sleep(wait, undefined, { signal: leaving.signal }).catch(() => {})
      if (leaving.signal.aborted) return await endOf(undefined, why(), job, token)
      const result = await runner
        .run(task, { signal: leaving.signal, ...report })
        .catch((error: unknown) => ({ error }))
      await report.close()
      if ('error' in result && asDiskFull(result.error)) fullAt = performance.now()
      if ('error' in result) return await endOf(result.error, why(), job, token)
      onEnd(task, result.skipped ? 'skipped' : 'made', result)
      return publicResult(result satisfies TaskResult)
    } finally {
      await report.close()
      current = undefined
    }
  }

  const worker = new bullmq.Worker<Task, JobResult>(resource, process, {
    connection: connectionOptions(address),
    prefix: queuePrefix,
    name,
    concurrency: 1,
    lockDuration: lockMs,
    stalledInterval: stalledMs,
    maxStalledCount: mostStalled,
    // Redis is away for seconds, mostly.
    runRetryDelay: 1000,
  })
  worker.on('error', (error) => {
    // That Redis is away is told by our own connection, and a lost lock by the task that is left.
    if (bullmq.isNotConnectionError(error) && !/\block\b/i.test(error.message))
      notices.tellOnce(error.message)
  })
  worker.on('lockRenewalFailed', (ids) => {
    for (const id of ids) leave('lost', id)
  })

  return {
    stop(id) {
      const now = performance.now()
      for (const [old, told] of stopped) if (now - told > stopHoldsMs) stopped.delete(old)
      stopped.set(id, now)
      leave('stopped', id)
    },
    async close(graceMs) {
      const timer = setTimeout(() => leave('closing'), graceMs)
      await worker.close()
      clearTimeout(timer)
      for (const text of await runner.close()) notices.tellOnce(text)
    },
    abandon() {
      runner.kill()
      worker.disconnect().catch(() => {})
    },
  }
}

async function whyUnreadable(
  canRead: (task: Task) => Promise<boolean>,
  task: Task,
): Promise<string | undefined> {
  try {
    return (await canRead(task)) ? undefined : `${task.run} cannot be read there`
  } catch (error) {
    return `${task.run} cannot be read there: ${explainError(error).message}`
  }
}
