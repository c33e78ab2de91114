/**
 * A pool for vitest of one thread that is kept from run to run. Stryker starts a run for each mutant, and most
 * of its time would go into starting a thread and loading the packages that the tests use; the project's own
 * modules are loaded anew each time (bench/mutation/warm-worker.js).
 *
 * It also ends what does not end: after as much processor time as tells, since on a machine that is shared the
 * clock tells nothing, and with the thread alone, where Stryker would start a new process.
 */
import { Worker } from 'node:worker_threads'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker } from 'vitest/node'

interface Request {
  readonly type?: string
  readonly context?: { readonly config?: unknown; readonly files?: readonly { readonly filepath: string }[] }
}

/** Seconds of processor time that a run may take besides what all tests took without a mutant. */
const besides = 1
/** Seconds in which a run that waits for something should have done something. */
const idle = 8

let thread: Worker | undefined
let isStarted = false
/** Of the run that is going on: which tests it chooses stands in it. */
let config: unknown
/** Seconds of processor time of the first run, of all tests without a mutant. */
let ofAll: number | undefined

function startThread({ env, execArgv }: PoolOptions): Worker {
  const entry = new URL('bench/mutation/warm-worker.js', `file://${process.cwd()}/`)
  const started = new Worker(entry, { env, execArgv, stdout: true, stderr: true })
  started.unref()
  started.once('exit', () => {
    thread = undefined
    isStarted = false
  })
  return started
}

/** Seconds that this process has computed, its threads included. */
function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Calls `stop` when a run has used up its time; gives a function that ends the watch. */
function watchRun(stop: () => void): () => void {
  const start = processorTime()
  let busy = { at: performance.now(), used: start }
  const timer = setInterval(() => {
    const used = processorTime()
    if (used - busy.used > 0.02 * idle) busy = { at: performance.now(), used }
    const isIdle = performance.now() - busy.at > 1000 * idle
    if (ofAll !== undefined && (isIdle || used - start > besides + 1.5 * ofAll)) stop()
  }, 200)
  return () => {
    clearInterval(timer)
    ofAll ??= processorTime() - start
  }
}

function warmWorker(options: PoolOptions): PoolWorker {
  const { state } = options.project.vitest
  thread ??= startThread(options)
  const own = thread
  let endWatch: (() => void) | undefined
  const answer = (type: string) =>
    setImmediate(() => own.emit('message', { type, __vitest_worker_response__: true }))

  /** Ends the run as Stryker ends one whose mutant is passed too often: it takes it for endless. */
  function giveUp(): void {
    endWatch?.()
    own.removeAllListeners('exit')
    void own.terminate()
    thread = undefined
    isStarted = false
    const [file] = state.getFiles()
    if (file) Reflect.set(file.meta, 'hitCount', Number.MAX_SAFE_INTEGER)
    else state.catchError(new Error('a run did not end before its first test file was read'), 'Timeout')
    answer('testfileFinished')
  }

  return {
    name: 'warm',
    on: (event, callback) => void own.on(event, callback),
    off: (event, callback) => void own.off(event, callback),
    deserialize: (data) => data,
    async start() {},
    async stop() {
      endWatch?.()
      own.removeAllListeners('message')
      own.removeAllListeners('error')
    },
    send(message) {
      const { type, context } = message as Request
      if (type === 'stop') return void answer('stopped')
      if (type === 'start') {
        config = context?.config
        if (isStarted) return void answer('started')
        isStarted = true
      }
      if (type !== 'run') return void own.postMessage(message)
      endWatch = watchRun(giveUp)
      own.postMessage({ ...(message as object), context: { ...context, config } })
    },
  }
}

export const warmPool: PoolRunnerInitializer = { name: 'warm', createPoolWorker: warmWorker }
