import type { TaskProcess } from '../engines/task-process.js'
import type { Task, TaskOptions, TaskResult } from '../tasks/task.js'

/** Runs one task at a time in a child process, and ends the child where it does not stop when it is told to. */
export interface JobRunner {
  run(task: Task, options: TaskOptions & { readonly signal: AbortSignal }): Promise<TaskResult>
  /** Lets the child end, within `killMs`. Returns what its stages still had to say. */
  close(): Promise<readonly string[]>
  /** Ends the child at once. */
  kill(): void
}

/**
 * @param open makes a child process
 * @param killMs how long a child may take to stop
 */
export function openJobRunner(open: () => TaskProcess, killMs: number): JobRunner {
  // Opened with the first task: who only waits takes no memory.
  let child: TaskProcess | undefined
  return {
    async run(task, options) {
      if (!child || child.isGone()) child = open()
      const running = child
      const { signal } = options
      let timer: NodeJS.Timeout | undefined
      const killed = new Promise<never>((_, reject) => {
        const kill = () => {
          timer = setTimeout(() => {
            running.kill()
            if (child === running) child = undefined
            reject(signal.reason)
          }, killMs)
        }
        if (signal.aborted) kill()
        else signal.addEventListener('abort', kill, { once: true })
      })
      const done = running.run(task, options)
      // The one that loses the race may still reject.
      done.catch(() => {})
      killed.catch(() => {})
      try {
        return await Promise.race([done, killed])
      } finally {
        clearTimeout(timer)
      }
    },
    async close() {
      const last = child
      if (!last) return []
      const timer = setTimeout(() => last.kill(), killMs)
      const said = await last.stop().catch(() => [])
      child = undefined
      clearTimeout(timer)
      return said
    },
    kill() {
      child?.kill()
      child = undefined
    },
  }
}
