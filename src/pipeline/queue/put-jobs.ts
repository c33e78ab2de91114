import type { Resource } from '../stages/resource.js'
import type { Flight } from './flights.js'
import { pipelinePrefix, runPrefix } from './queue-job.js'
import type { ResourceQueue } from './resource-queue.js'

/** Jobs put in one call. */
const batchSize = 250

/** Puts tasks into their queues, many in one call. */
export interface JobPutter {
  /** Those that are waiting to be put, or just being put, stay. */
  add(flights: readonly Flight[]): void
  /** A task that is not to be put any more. */
  forget(flight: Flight): void
  /** When nothing is being put. */
  settled(): Promise<unknown>
}

/**
 * @param stop tells workers to leave jobs
 * @param onError what failed; those tasks are not put, and may be added again
 */
export function openJobPutter(
  queues: ReadonlyMap<Resource, ResourceQueue>,
  stop: (ids: readonly string[]) => Promise<void>,
  onError: (error: Error) => void,
): JobPutter {
  const waiting = new Map([...queues.keys()].map((resource) => [resource, new Map<string, Flight>()]))
  const loops = new Map<Resource, Promise<void>>()
  const begun = new Map<string, Promise<void>>()

  const putAll = async (resource: Resource) => {
    const flights = waiting.get(resource) as Map<string, Flight>
    const queue = queues.get(resource) as ResourceQueue
    try {
      // What is released together is put together.
      await new Promise(setImmediate)
      while (flights.size > 0) {
        const some = [...flights.values()].slice(0, batchSize)
        await Promise.all(some.map(({ task }) => beginOnce(task)))
        await queue.put(some)
        for (const flight of some) {
          flight.isPut = true
          flights.delete(flight.id)
        }
      }
    } catch (error) {
      flights.clear()
      onError(error as Error)
    } finally {
      loops.delete(resource)
    }
  }

  /** Once a pipeline, before its first task. */
  const beginOnce = (task: Flight['task']): Promise<void> => {
    const prefix = pipelinePrefix(task)
    const work = begun.get(prefix) ?? removeOlder(runPrefix(task), prefix)
    begun.set(prefix, work)
    work.catch(() => begun.delete(prefix))
    return work
  }

  // A coordinator that was killed has left its jobs. What is being made by the same pipeline is wanted now too;
  // what another one makes would win over ours if it came later.
  const removeOlder = async (ofRun: string, ofPipeline: string) => {
    for (const queue of queues.values()) {
      const active = await queue.remove(await queue.idsOf(ofRun))
      await stop(active.filter((id) => !id.startsWith(ofPipeline)))
    }
  }

  return {
    add(flights) {
      for (const flight of flights) {
        waiting.get(flight.resource)?.set(flight.id, flight)
        if (!loops.has(flight.resource)) loops.set(flight.resource, putAll(flight.resource))
      }
    },
    forget: ({ id, resource }) => void waiting.get(resource)?.delete(id),
    settled: () => Promise.all(loops.values()),
  }
}
