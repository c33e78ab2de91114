import { z } from 'zod'
import { firstIssue, inWords } from '../../base/schema-words.js'
import { UserError } from '../../base/user-error.js'
import { type Task, type TaskResult, taskProtocol } from '../tasks/task.js'
import type { JobProgress, JobResult } from './queue-job.js'

/**
 * What is read back from Redis, where anybody who reaches it may have written: each is checked before it is used, as a
 * file of a run is.
 */
const counts = z.record(z.string(), z.number())
const names = z.array(z.string())

const taskSchema = z.object({
  v: z.literal(taskProtocol),
  run: z.string().min(1),
  pipeline: z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hex digits'),
  session: z.string(),
  stage: z.string().min(1),
  shard: z.string().optional(),
  missing: z.record(z.string(), names).optional(),
  retry: z.string().optional(),
  drop: z.boolean().optional(),
})

const sums = { in: z.number(), out: z.number(), rejected: counts }
const resultSchema = z.object({
  ...sums,
  skipped: z.boolean(),
  relabelled: counts,
  counts,
  tried: z.object(sums).optional(),
  failed: z.array(z.object({ shard: z.string(), error: z.string() })),
  warnings: names,
})

const finite = z.number().nonnegative()
const progressSchema = z.object({
  at: z
    .union([z.tuple([finite, finite]), z.tuple([finite, finite, z.string()])])
    .optional()
    .catch(undefined),
  notices: names.optional().catch(undefined),
  waits: z.string().optional().catch(undefined),
})

/**
 * The task of a job.
 *
 * @param id of the job, for the message
 * @throws UserError where it holds none
 */
export function parseTask(data: unknown, id: string): Task {
  const parsed = taskSchema.safeParse(data, inWords)
  if (parsed.success) return parsed.data as Task
  throw new UserError(`The job ${id} of the queue holds no task: ${firstIssue(parsed.error)}.`)
}

/** Whether what a job holds is a task. */
export const isTask = (data: unknown): boolean => taskSchema.safeParse(data).success

/** What a job gave; undefined where it is no such thing: then the run's storage says whether it is done. */
export function parseJobResult(value: unknown): JobResult | undefined {
  if (value !== null && typeof value === 'object' && 'stopped' in value) return { stopped: true }
  return resultSchema.safeParse(value).data as TaskResult | undefined
}

/** What a worker tells of a job, without what is none of it. */
export const parseJobProgress = (value: unknown): JobProgress =>
  (progressSchema.safeParse(value).data ?? {}) as JobProgress

/** Ids of jobs that are no longer wanted, of a message; none where it is another. */
export function parseStopIds(message: string): readonly string[] {
  try {
    return names.safeParse(JSON.parse(message)).data ?? []
  } catch {
    return []
  }
}
