import type { TaskProcess } from '../../src/pipeline/engines/task-process.js'
import type { RunTask } from '../../src/pipeline/tasks/task.js'

/** What a child process of a worker does, in the process of the test. */
export interface TasksHere extends TaskProcess {
  readonly seen: { kills: number; stops: number; readonly shards: (string | undefined)[] }
}

/**
 * Does tasks in this process, as a child would that is killed and stopped the same way.
 *
 * @param work what becomes of a task
 * @param said what its stages have to say when it is stopped
 */
export function tasksHere(work: RunTask, said: readonly string[] = []): TasksHere {
  const seen: TasksHere['seen'] = { kills: 0, stops: 0, shards: [] }
  let leave = (_: Error) => {}
  const gone = new Promise<never>((_, reject) => {
    leave = reject
  })
  gone.catch(() => {})
  let isGone = false
  const end = () => {
    isGone = true
    leave(new Error('its process has ended'))
  }
  return {
    pid: undefined,
    seen,
    run(task, options) {
      seen.shards.push(task.shard)
      return Promise.race([work(task, options), gone])
    },
    isGone: () => isGone,
    async stop() {
      seen.stops++
      end()
      return said
    },
    kill() {
      seen.kills++
      end()
    },
  }
}

/** Goes on until it is told to stop, and then does. */
export const untilStopped: RunTask = (_, { signal }) =>
  new Promise((_, reject) => {
    const stop = () => reject(signal?.reason)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })

/** Hears nothing and does not end. */
export const forever: RunTask = () => new Promise(() => {})
