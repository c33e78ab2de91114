/**
 * What is started in the place of the program that makes tasks (scripted-children.ts): it speaks as that does, and
 * does at once what the name of a task's shard says.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {import('../../src/pipeline/engines/task-messages.js').ToChild} ToChild */
/** @typedef {import('../../src/pipeline/engines/task-messages.js').FromChild} FromChild */

let runs = 0
let last = 0
/** What is waited for: the word to stop, or a place at a host. */
let waiting = (/** @type {boolean} */ _isAborted) => {}
const send = (/** @type {FromChild | object} */ message) => process.send?.(message)

process.on('message', (/** @type {ToChild & { hostLimit?: { answer: string } }} */ message) => {
  if (message.hostLimit) waiting(false)
  else if (message.kind === 'run') void run(message)
  else if (message.kind === 'abort' && message.id === last) waiting(true)
  else if (message.kind === 'close') {
    send({ kind: 'notice', id: last, text: 'closing' })
    process.send?.({ kind: 'closed', warnings: ['the end', `of ${process.argv[2]}`] }, () =>
      process.disconnect(),
    )
  }
})
process.on('disconnect', () => process.exit())

async function run(/** @type {Extract<ToChild, { kind: 'run' }>} */ { id, task, cores }) {
  runs++
  last = id
  const [what = '', which = ''] = (task.shard ?? '').split('-')
  const said = () => {
    send({ kind: 'progress', id, done: 1, total: 2, note: 'half' })
    send({ kind: 'notice', id, text: 'see' })
  }
  const fail = (/** @type {string} */ kind) =>
    send({ kind: 'failed', id, failure: { kind, message: `${what} ${runs}` } })
  if (what === 'tells') {
    send({ kind: 'progress', id: id - 1, done: 7, total: 7 })
    send({ kind: 'done', id: id + 1, result: {} })
    said()
  }
  if (what === 'fails') return fail(which)
  if (what === 'exits' || what === 'once') {
    const marker = join(task.run, `${what}-${which}`)
    if (what === 'exits' || !existsSync(marker)) {
      if (what === 'once') writeFileSync(marker, '')
      if (task.stage === 'said') said()
      // What was said goes before.
      setTimeout(
        () => (/^SIG/.test(which) ? process.kill(process.pid, which) : process.exit(Number(which) || 3)),
        10,
      )
      return
    }
  }
  if (what === 'waits') {
    send({ kind: 'notice', id, text: 'waits' })
    const marker = join(task.run, `go-${which}`)
    const timer = setInterval(() => existsSync(marker) && waiting(false), 5)
    const isAborted = await new Promise((resolve) => {
      waiting = resolve
    })
    clearInterval(timer)
    if (isAborted) return fail('aborted')
  }
  if (what === 'holds')
    await new Promise((resolve) => {
      waiting = resolve
      send({ hostLimit: { ask: 'acquire', id: 1, key: 'host', limit: 1, holdMs: 1000 } })
    })
  const counts = { pid: process.pid, runs, ...(cores !== undefined && { cores }) }
  const sums = { in: 1, out: 1, rejected: {}, relabelled: {}, failed: [], warnings: [] }
  send({ kind: 'done', id, result: { skipped: false, ...sums, counts } })
}
