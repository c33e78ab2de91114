import { killSelf } from '../../base/kill-self.js'
import { shareCores } from '../../base/own-cores.js'
import { parentHostLimiter } from '../../ingest/fetch/ipc-host-limiter.js'
import { openStorage } from '../../storage/open-storage.js'
import { openPresence, type Presence } from '../tasks/presence.js'
import type { PresenceRecord } from '../tasks/presence-record.js'
import { openTaskRunner } from '../tasks/run-task.js'
import type { Task } from '../tasks/task.js'
import { failureOf } from '../tasks/task-error.js'
import type { FromChild, ToChild } from './task-messages.js'

const runner = openTaskRunner({ hostLimiter: parentHostLimiter(process) })
const send = (message: FromChild) => process.send?.(message)
let current: { readonly id: number; readonly abort: AbortController } | undefined
let present: { readonly session: string; readonly presence: Presence } | undefined

process.on('message', (message: ToChild) => {
  if (message.kind === 'run') void run(message)
  else if (message.kind === 'abort' && current?.id === message.id)
    current.abort.abort(new DOMException('interrupted', 'AbortError'))
  else if (message.kind === 'close') void close()
})
// The terminal sends its Ctrl-C to all: the parent decides what becomes of the work.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
// A parent that is gone asks for nothing more, and its tasks are others' now.
process.on('disconnect', () => killSelf('SIGKILL'))

async function run({ id, task, cores }: Extract<ToChild, { kind: 'run' }>) {
  const abort = new AbortController()
  current = { id, abort }
  shareCores(cores)
  const presence = await presenceIn(task)
  const { stage, shard } = task
  const named = { stage, shard }
  presence.update({ task: named })
  try {
    const result = await runner.run(task, {
      signal: abort.signal,
      onProgress: (done, total, note) => {
        presence.update({ task: { ...named, done, total } })
        send({ kind: 'progress', id, done, total, note })
      },
      onNotice: (text) => send({ kind: 'notice', id, text }),
    })
    presence.update({ ended: named, outcome: result.skipped ? 'skipped' : 'made' })
    send({ kind: 'done', id, result })
  } catch (error) {
    // Whether it is set aside is for the run to say.
    presence.update({ ended: named, outcome: 'left' })
    send({ kind: 'failed', id, failure: failureOf(error) })
  } finally {
    current = undefined
  }
}

/** What this process says of itself in the run that a task is of. */
async function presenceIn({ run, pipeline, session }: Task): Promise<Presence> {
  if (present?.session === session) return present.presence
  await present?.presence.close()
  const kind = process.argv[2] as PresenceRecord['kind']
  const presence = openPresence(openStorage(run), { kind, pipeline })
  present = { session, presence }
  return presence
}

async function close() {
  const warnings = await runner.close().catch((error: Error) => [error.message])
  await present?.presence.close()
  process.send?.({ kind: 'closed', warnings } satisfies FromChild, () => process.disconnect())
}
