import type { Resource } from '../stages/resource.js'
import type { Task, TaskOptions, TaskResult } from '../tasks/task.js'

export interface SubmitOptions extends TaskOptions {
  /** Of tasks that wait those of a higher number are taken first: later stages. From 0; 0 where it is not given. */
  readonly priority?: number
}

/** What carries tasks to where they are done: this process, others of this machine, or a queue. */
export interface Engine {
  /** Tasks that may be under way or waiting at once: the scheduler releases no more. */
  readonly window: number
  /** Whether tasks are done on other machines, whose files this one need not have. */
  readonly isElsewhere?: boolean
  /**
   * Has a task done, and tried again where the failure may pass. Rejects where it was not done: with what
   * failed, or with the signal's reason.
   */
  submit(task: Task, resource: Resource, options: SubmitOptions): Promise<TaskResult>
  /** Lets go of processes and connections. */
  close(): Promise<void>
}
