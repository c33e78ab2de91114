import { shareCores } from '../../base/own-cores.js'
import { openTaskRunner } from '../tasks/run-task.js'
import { failureOf } from '../tasks/task-error.js'
import type { FromChild, ToChild } from './task-messages.js'

const runner = openTaskRunner()
const send = (message: FromChild) => process.send?.(message)
let current: { readonly id: number; readonly abort: AbortController } | undefined

process.on('message', (message: ToChild) => {
  if (message.kind === 'run') void run(message)
  else if (message.kind === 'abort' && current?.id === message.id)
    current.abort.abort(new DOMException('interrupted', 'AbortError'))
  else if (message.kind === 'close') void close()
})
// The terminal sends its Ctrl-C to all: the parent decides what becomes of the work.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
// A parent that is gone asks for nothing more, and its tasks are others' now.
process.on('disconnect', () => process.exit(1))

async function run({ id, task, cores }: Extract<ToChild, { kind: 'run' }>) {
  const abort = new AbortController()
  current = { id, abort }
  shareCores(cores)
  try {
    const result = await runner.run(task, {
      signal: abort.signal,
      onProgress: (done, total, note) => send({ kind: 'progress', id, done, total, note }),
      onNotice: (text) => send({ kind: 'notice', id, text }),
    })
    send({ kind: 'done', id, result })
  } catch (error) {
    send({ kind: 'failed', id, failure: failureOf(error) })
  } finally {
    current = undefined
  }
}

async function close() {
  const warnings = await runner.close().catch((error: Error) => [error.message])
  process.send?.({ kind: 'closed', warnings } satisfies FromChild, () => process.disconnect())
}
