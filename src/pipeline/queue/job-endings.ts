import type * as BullMq from 'bullmq'
import type { Job } from 'bullmq'
import { hideCredentials } from '../../base/credentials.js'
import type { Task, TaskResult } from '../tasks/task.js'
import { failureOf } from '../tasks/task-error.js'
import type { QueueNotices } from './notices.js'
import { failedReason, isMarked, type JobResult, taskName } from './queue-job.js'

/**
 * How a task ended at a worker: `put-back` is left to others or to a later time, `left` was given up by its
 * coordinator or taken over by another worker.
 */
export const outcomes = ['made', 'skipped', 'failed', 'put-back', 'left'] as const
export type Outcome = (typeof outcomes)[number]

/** Why a task is left before it is done. */
export type Leave = 'lost' | 'stopped' | 'closing'

export interface EndingOptions {
  /** Of the worker, as others see it. */
  readonly name: string
  readonly notices: Pick<QueueNotices, 'tellOnce'>
  readonly onEnd: (task: Task, outcome: Outcome, result?: TaskResult) => void
  /** For how long what cannot be done here and now is left to others. */
  readonly putBackMs: number
}

/** How a worker ends a job that it has not done: what is thrown tells BullMQ what becomes of it. */
export function jobEndings(bullmq: typeof BullMq, { name, notices, onEnd, putBackMs }: EndingOptions) {
  /** Puts a job back without spending a try. Throws what tells BullMQ so. */
  const putBack = async (job: Job, token: string, delayMs: number): Promise<never> => {
    onEnd(job.data, 'put-back')
    await job.moveToDelayed(Date.now() + delayMs, token)
    throw new bullmq.DelayedError()
  }
  const putBackSaying = async (job: Job, token: string, why: string) => {
    const waits = hideCredentials(`${taskName(job.data)} waits: ${why} (worker ${name})`)
    notices.tellOnce(waits)
    await job.updateProgress({ waits }).catch(() => {})
    return putBack(job, token, putBackMs)
  }

  /** What becomes of a job that was left or has failed. */
  const endOf = async (
    error: unknown,
    why: Leave | undefined,
    job: Job,
    token: string,
  ): Promise<JobResult> => {
    if (why === 'lost') {
      onEnd(job.data, 'left')
      // It is not ours any more: nothing is said of it.
      throw new bullmq.DelayedError()
    }
    if (why === 'stopped') {
      onEnd(job.data, 'left')
      return { stopped: true }
    }
    if (why === 'closing') return putBack(job, token, 0)
    const failure = failureOf(error)
    if (failure.kind === 'busy') return putBackSaying(job, token, failure.message)
    onEnd(job.data, 'failed')
    const isFinal = isMarked(failure.kind)
    const failed = new (isFinal ? bullmq.UnrecoverableError : Error)(failedReason(failure))
    delete failed.stack
    throw failed
  }

  return { putBackSaying, endOf }
}
