import { hideCredentials } from '../../base/credentials.js'
import { hashBytes, hashJson } from '../../base/hash.js'
import { type Task, type TaskResult, taskProtocol } from '../tasks/task.js'
import { errorOf, type TaskFailure } from '../tasks/task-error.js'

/** Before every key in Redis. A worker of another protocol looks elsewhere, and never sees these tasks. */
export const queuePrefix = `groundmill-${taskProtocol}`

/** Where workers are told the ids of jobs that are no longer wanted. */
export const stopChannel = `${queuePrefix}:stop`

/** What a job gives back. */
export type JobResult = TaskResult | { readonly stopped: true }

/** What a worker tells of a job, at most once a second. */
export interface JobProgress {
  readonly at?: readonly [done: number, total: number, note?: string]
  readonly notices?: readonly string[]
  /** Why the job was put back. */
  readonly waits?: string
}

const short = (text: string) => hashBytes(text).slice(0, 16)

/** The beginning of the ids of a run's jobs, and of those of one pipeline of it. */
export const runPrefix = ({ run }: Pick<Task, 'run'>) => `${short(run)}.`
export const pipelinePrefix = ({ run, pipeline }: Pick<Task, 'run' | 'pipeline'>) =>
  `${runPrefix({ run })}${short(pipeline)}.`

/**
 * The id of a task's job, of which there is one at a time: `run.pipeline.stage.shard`, and where the task says
 * more than that (shards that are missing) a hash of it. BullMQ allows no colon in it.
 */
export function jobIdOf(task: Task): string {
  const { v, run, pipeline, stage, shard, session, ...more } = task
  const rest = Object.keys(more).length > 0 ? [hashJson(more).slice(0, 16)] : []
  return [
    `${pipelinePrefix({ run, pipeline })}${stage}`,
    ...(shard === undefined ? [] : [shard]),
    ...rest,
  ].join('.')
}

/** Words for a task. */
export const taskName = ({ stage, shard }: Task): string =>
  shard === undefined ? stage : `${stage} ${shard}`

const mark = /^\((stage|user|disk)\) /
type Marked = 'stage' | 'user' | 'disk'

/** Whether somebody must mend something before it can be done: trying again is of no use. */
export const isMarked = (kind: TaskFailure['kind']): kind is Marked => mark.test(`(${kind}) `)

/** What stands of a failure in Redis: its message without secrets, marked where somebody must mend something. */
export const failedReason = ({ kind, message }: TaskFailure): string =>
  `${isMarked(kind) ? `(${kind}) ` : ''}${hideCredentials(message)}`

/** The error that a reason was made of. */
export function reasonError(reason: string): Error {
  const kind = mark.exec(reason)?.[1] as Marked | undefined
  return errorOf({ kind: kind ?? 'other', message: reason.replace(mark, '') })
}

/** A result as it may lie in Redis. */
export const publicResult = (result: TaskResult): TaskResult => ({
  ...result,
  warnings: result.warnings.map(hideCredentials),
  failed: result.failed.map(({ shard, error }) => ({ shard, error: hideCredentials(error) })),
})
