import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
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

/** @param env what its environment has besides this process's own */
export function startTaskProcess(env: Readonly<Record<string, string>> = {}): TaskProcess {
  const child = fork(fileURLToPath(new URL('./task-child.js', import.meta.url)), [], {
    env: { ...process.env, ...env },
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
  let nextId = 0
  return {
    pid: child.pid,
    run: (task, options) => runIn(child, gone, nextId++, task, options),
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
  id: number,
  task: Task,
  { signal, onProgress, onNotice }: TaskOptions,
): Promise<TaskResult> {
  return new Promise((resolve, reject) => {
    const onAbort = () => send(child, { kind: 'abort', id })
    const end = () => {
      child.off('message', onMessage)
      signal?.removeEventListener('abort', onAbort)
    }
    const onMessage = (message: FromChild) => {
      if (message.kind === 'closed' || message.id !== id) return
      if (message.kind === 'progress') onProgress?.(message.done, message.total, message.note)
      else if (message.kind === 'notice') onNotice?.(message.text)
      else {
        end()
        if (message.kind === 'done') resolve(message.result)
        else reject(signal?.aborted ? signal.reason : errorOf(message.failure))
      }
    }
    child.on('message', onMessage)
    signal?.addEventListener('abort', onAbort)
    void gone.then((how) => {
      end()
      reject(signal?.aborted ? signal.reason : new Error(`the process that made it has ended (${how})`))
    })
    send(child, { kind: 'run', id, task })
    if (signal?.aborted) onAbort()
  })
}
