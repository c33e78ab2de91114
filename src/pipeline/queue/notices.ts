import { hideCredentials } from '../../base/credentials.js'
import type { Resource } from '../stages/resource.js'
import type { Connection, QueueAddress } from './queue-address.js'

/** What a person is told of a queue, each thing once until it is over. */
export interface QueueNotices {
  tellOnce(text: string): void
  /** Says once that nobody takes the tasks of a resource, until somebody does. */
  tellWorkers(resource: Resource, workers: number, tasks: number): void
  /** Tells no more. */
  close(): void
}

/** How many different texts are remembered. */
const remembered = 1000

/** Tells also when the connection is lost, and when it is there again. */
export function openNotices(
  onNotice: (text: string) => void = () => {},
  redis: Connection,
  { shown }: QueueAddress,
): QueueNotices {
  const told = new Set<string>()
  const lonely = new Map<Resource, number>()
  let [isClosed, isAway] = [false, false]
  const tell = (text: string) => {
    if (!isClosed) onNotice(hideCredentials(text))
  }
  redis.on('reconnecting', () => {
    if (!isAway) tell(`Redis at ${shown} is away; going on when it is back.`)
    isAway = true
  })
  redis.on('ready', () => {
    if (isAway) tell(`Redis at ${shown} is back.`)
    isAway = false
  })
  return {
    tellOnce(text) {
      if (told.has(text)) return
      if (told.size === remembered) told.clear()
      told.add(text)
      tell(text)
    },
    tellWorkers(resource, workers, tasks) {
      const looks = workers > 0 ? 0 : (lonely.get(resource) ?? 0) + 1
      lonely.set(resource, looks)
      // A worker that is just being started is not missed.
      if (looks === 2)
        tell(
          `No worker takes ${resource} tasks, and ${tasks} wait: start groundmill worker --take ${resource} with this queue.`,
        )
    },
    close: () => {
      isClosed = true
    },
  }
}
