import { availableParallelism } from 'node:os'
import { localHostLimiter } from '../../ingest/fetch/local-host-limiter.js'
import type { Task, TaskOptions, TaskResult } from '../tasks/task.js'
import { withRetries } from '../tasks/with-retries.js'
import type { Engine } from './engine.js'
import { startTaskProcess, type TaskProcess } from './task-process.js'

interface Seat {
  readonly process: TaskProcess
  /** The stage whose shard it made last: it is open there. */
  stage?: string
}

/**
 * An engine of processes of this machine, which are started when tasks come. A process that ends on the way is
 * replaced, and its task tried again.
 *
 * @param count of processes
 * @param onWarning is told what stages had to say when they were closed
 */
export function processes(count: number, onWarning: (text: string) => void = () => {}): Engine {
  // Sessions of all processes share the cores, as those of one would.
  const cores = Math.max(1, Math.floor(availableParallelism() / count))
  const limiter = localHostLimiter()
  const idle: Seat[] = []
  const all = new Set<Seat>()
  const waiting: { readonly stage: string; readonly give: (seat: Seat) => void }[] = []

  const take = (stage: string): Promise<Seat> | Seat => {
    const at = idle.findIndex((seat) => seat.stage === stage)
    const [known] = idle.splice(Math.max(at, 0), 1)
    if (known) return known
    if (all.size < count) return start()
    return new Promise((give) => waiting.push({ stage, give }))
  }
  const start = (): Seat => {
    const seat = { process: startTaskProcess({ kind: 'worker', limiter, cores }) }
    all.add(seat)
    return seat
  }
  const giveBack = (seat: Seat) => {
    let usable = seat
    if (seat.process.isGone()) {
      all.delete(seat)
      if (waiting.length === 0) return
      usable = start()
    }
    const at = waiting.findIndex(({ stage }) => stage === usable.stage)
    const [next] = waiting.splice(Math.max(at, 0), 1)
    if (next) next.give(usable)
    else idle.push(usable)
  }
  const once = async (task: Task, options: TaskOptions): Promise<TaskResult> => {
    const seat = await take(task.stage)
    try {
      options.signal?.throwIfAborted()
      seat.stage = task.stage
      return await seat.process.run(task, options)
    } finally {
      giveBack(seat)
    }
  }
  return {
    window: count,
    submit: (task, _resource, options) => withRetries(() => once(task, options), options.signal),
    async close() {
      const said = await Promise.all([...all].map(({ process }) => process.stop()))
      for (const text of new Set(said.flat())) onWarning(text)
    },
  }
}
