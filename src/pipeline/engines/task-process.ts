import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { HostLimiter } from '../../ingest/fetch/host-limiter.js'
import { grantHostLimits } from '../../ingest/fetch/ipc-host-limiter.js'
import type { PresenceRecord } from '../tasks/presence-record.js'
import type { RunTask, Task, TaskOptions, TaskResult } from '../tasks/task.js'
import { errorOf } from '../tasks/task-error.js'
import type { FromChild, ToChild } from './task-messages.js'

/** How long a process may take to close its stages before it is killed. */
const closeMs = 15_000

/** A process of this machine that makes tasks, one at a time. */
export interface TaskProcess {
  readonly pid: number | undefined
  /** Rejects where the process ends on the way; then no further task can be given to it. */
  readonly run: RunTask
  readonly isGone: () => boolean
  /** Closes its stages and ends it. Returns what the stages still had to say. */
  stop(): Promise<readonly string[]>
  kill(): void
}

export interface TaskProcessOptions {
  /** As what it is seen by who watches the run. */
  readonly kind: PresenceRecord['kind']
  /** What its crawls are kept polite by, with those of others. */
  readonly limiter: HostLimiter
  /**
   * Cores that a shard may use, beside those of other processes; all by default. What is one task, such as a
   * training, stands in the way of all others and has them all: its result hangs on their number, too.
   */
  readonly cores?: number
}

/** Starts a process that makes tasks. It ends with this one. */
export function startTaskProcess({ kind, limiter, cores }: TaskProcessOptions): TaskProcess {
  const child = fork(fileURLToPath(new URL('./task-child.js', import.meta.url)), [kind], {
    // What a library writes to standard output is nothing of what this program prints.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const gone = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    child.once('error', (error) => resolve(error.message))
  })
  let isGone = false
  void gone.then(() => {
    isGone = true
  })
  const revoke = grantHostLimits(child, limiter)
  void gone.then(revoke)
  let nextId = 0
  return {
    pid: child.pid,
    run: (task, options) => {
      const id = nextId++
      const own = task.shard === undefined ? undefined : cores
      return runIn(child, gone, { kind: 'run', id, task, ...(own && { cores: own }) }, options)
    },
    isGone: () => isGone,
    async stop() {
      const warnings = new Promise<readonly string[]>((resolve) => {
        child.on('message', (message: FromChild) => {
          if (message.kind === 'closed') resolve(message.warnings)
        })
        void gone.then(() => resolve([]))
      })
      send(child, { kind: 'close' })
      const late = delay(closeMs, undefined, { ref: false }).then(() => child.kill('SIGKILL'))
      await Promise.race([gone, late])
      return warnings
    },
    kill: () => {
      child.kill('SIGKILL')
    },
  }
}

/** Where the process is gone, its end is told of elsewhere. */
function send(child: ChildProcess, message: ToChild) {
  if (child.connected) child.send(message, () => {})
}

function runIn(
  child: ChildProcess,
  gone: Promise<string>,
  message: Extract<ToChild, { kind: 'run' }>,
  { signal, onProgress, onNotice }: TaskOptions,
): Promise<TaskResult> {
  const { id, task } = message
  let last: Progress | undefined
  return new Promise((resolve, reject) => {
    const onAbort = () => send(child, { kind: 'abort', id })
    const end = () => {
      child.off('message', onMessage)
      signal?.removeEventListener('abort', onAbort)
    }
    const onMessage = (said: FromChild) => {
      if (said.kind === 'closed' || said.id !== id) return
      if (said.kind === 'progress') {
        last = said
        onProgress?.(said.done, said.total, said.note)
      } else if (said.kind === 'notice') onNotice?.(said.text)
      else {
        end()
        if (said.kind === 'done') resolve(said.result)
        else reject(signal?.aborted ? signal.reason : errorOf(said.failure))
      }
    }
    child.on('message', onMessage)
    signal?.addEventListener('abort', onAbort)
    void gone.then((how) => {
      end()
      reject(signal?.aborted ? signal.reason : new Error(endText(task, last, how)))
    })
    send(child, message)
    if (signal?.aborted) onAbort()
  })
}

type Progress = Extract<FromChild, { kind: 'progress' }>

/** What is known of a process that has ended in the middle of a task: what it was doing, and what mostly ends it so. */
function endText({ stage, shard }: Task, last: Progress | undefined, how: string): string {
  const made = shard === undefined ? `"${stage}"` : `shard ${shard} of "${stage}"`
  const at = last ? `, ${last.done} of ${last.total} done` : ''
  const why = reasons[how]
  return `the process that made ${made} has ended (${how}${at})${why ? `: ${why}` : ''}`
}

const reasons: Readonly<Record<string, string>> = {
  SIGKILL:
    'where nobody killed it, the system had no memory left: run fewer processes, or lower batch, sessions or open_sizes',
  SIGABRT: 'native code gave up (onnxruntime, or the decoder of pictures), most often for lack of memory',
  SIGSEGV: 'native code failed (onnxruntime, or the decoder of pictures)',
  SIGBUS: 'native code failed: a file was cut while it was read, or the disk is full',
}
