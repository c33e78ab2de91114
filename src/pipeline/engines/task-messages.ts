import type { Task, TaskResult } from '../tasks/task.js'
import type { TaskFailure } from '../tasks/task-error.js'

/** What a process is told that makes tasks. */
export type ToChild =
  | {
      readonly kind: 'run'
      readonly id: number
      readonly task: Task
      /** Its share of the processor's; all by default. */
      readonly cores?: number
    }
  | { readonly kind: 'abort'; readonly id: number }
  | { readonly kind: 'close' }

/** What it tells. */
export type FromChild =
  | {
      readonly kind: 'progress'
      readonly id: number
      readonly done: number
      readonly total: number
      readonly note?: string
    }
  | { readonly kind: 'notice'; readonly id: number; readonly text: string }
  | { readonly kind: 'done'; readonly id: number; readonly result: TaskResult }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: TaskFailure }
  | { readonly kind: 'closed'; readonly warnings: readonly string[] }
