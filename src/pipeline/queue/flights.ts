import { setMaxListeners } from 'node:events'
import type { SubmitOptions } from '../engines/engine.js'
import type { Resource } from '../stages/resource.js'
import type { Task, TaskResult } from '../tasks/task.js'
import { type JobProgress, type JobResult, jobIdOf, reasonError, taskName } from './queue-job.js'
import type { JobEvents } from './resource-queue.js'

/** A task between its release and its end. */
export interface Flight {
  readonly id: string
  readonly task: Task
  readonly resource: Resource
  readonly priority: number
  /** Whether Redis has taken it. */
  isPut: boolean
  /** Looks in a row at which Redis did not have it. */
  missed: number
}

interface Ends {
  readonly flight: Flight
  readonly options: SubmitOptions
  resolve(result: TaskResult): void
  reject(error: unknown): void
}

/** The tasks of this process that are under way, each by the id of its job. */
export interface Flights {
  readonly events: JobEvents
  /** Calls `onReleased` with the new flight. Rejects with what is heard or found of it, or what it is dropped for. */
  release(
    task: Task,
    resource: Resource,
    options: SubmitOptions,
    onReleased: (flight: Flight) => void,
  ): Promise<TaskResult>
  has(flight: Flight): boolean
  of(resource: Resource): Flight[]
  resolve(flight: Flight, result: TaskResult): void
  dropAll(reason: unknown): void
}

/**
 * @param onDropped is called with a task that is given up
 * @param onWaits why a job was put back
 */
export function openFlights(onDropped: (flight: Flight) => void, onWaits: (text: string) => void): Flights {
  const all = new Map<string, Ends>()
  const take = (id: string) => {
    const ends = all.get(id)
    all.delete(id)
    return ends
  }
  const drop = (id: string, reason: unknown) => {
    const ends = take(id)
    if (!ends) return
    ends.reject(reason)
    onDropped(ends.flight)
  }
  return {
    events: {
      onCompleted: (id: string, result: JobResult) => {
        // What another coordinator stopped is put again when it is missed.
        if (!('stopped' in result)) take(id)?.resolve(result)
      },
      onFailed: (id: string, reason: string) => take(id)?.reject(reasonError(reason)),
      onProgress: (id: string, { at, notices, waits }: JobProgress) => {
        const ends = all.get(id)
        if (!ends) return
        if (at) ends.options.onProgress?.(...at)
        for (const text of notices ?? []) ends.options.onNotice?.(text)
        if (waits) onWaits(waits)
      },
    },
    release: (task, resource, options, onReleased) =>
      new Promise((resolve, reject) => {
        const { signal, priority = 0 } = options
        signal?.throwIfAborted()
        const id = jobIdOf(task)
        if (all.has(id)) throw new Error(`${taskName(task)} is under way already.`)
        const leave = () => drop(id, signal?.reason)
        const flight = { id, task, resource, priority, isPut: false, missed: 0 }
        const settled =
          <T>(end: (value: T) => void) =>
          (value: T) => {
            signal?.removeEventListener('abort', leave)
            end(value)
          }
        all.set(id, { flight, options, resolve: settled(resolve), reject: settled(reject) })
        if (signal) {
          // One signal for all tasks of a run.
          setMaxListeners(0, signal)
          signal.addEventListener('abort', leave, { once: true })
        }
        onReleased(flight)
      }),
    has: ({ id }) => all.has(id),
    of: (resource) => [...all.values()].map(({ flight }) => flight).filter((it) => it.resource === resource),
    resolve: ({ id }, result) => take(id)?.resolve(result),
    dropAll: (reason) => {
      for (const id of [...all.keys()]) drop(id, reason)
    },
  }
}
