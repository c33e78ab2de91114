/**
 * A pool for vitest of one thread that is kept from run to run. Stryker starts a run for each mutant, and most
 * of its time would go into starting a thread and loading the packages that the tests use; the project's own
 * modules are loaded anew each time (bench/mutation/warm-worker.js).
 *
 * It also ends what does not end: after as much processor time as tells, since on a machine that is shared the
 * clock tells nothing, and with the thread alone, where Stryker would start a new process.
 */
import { Worker } from 'node:worker_threads'
import type { RunnerTask } from 'vitest'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, Vitest } from 'vitest/node'

interface Request {
  readonly type?: string
  readonly context?: {
    readonly config?: typeof config
    readonly files?: readonly { readonly filepath: string }[]
  }
}

/** Seconds of processor time that a run may take besides that. */
const besides = 2
/** Milliseconds in which a run that is not waiting for ever has computed for longer than `waiting` seconds. */
const idle = 10_000
const waiting = 0.03

let thread: Worker | undefined
let isStarted = false
/** Of the run that is going on: which tests it chooses stands in it. */
let config: { readonly testNamePattern?: RegExp } | undefined
/** The first run, of all tests without a mutant: its seconds of processor time, and how they lie on its tests. */
let first:
  | { readonly seconds: number; readonly tests: readonly TimedTest[]; readonly loading: number }
  | undefined

interface TimedTest {
  readonly file: string
  /** With those of its suites. */
  readonly name: string
  readonly time: number
}

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

function timedTests(tasks: readonly RunnerTask[], file: string, above = ''): TimedTest[] {
  return tasks.flatMap((task) => {
    const name = `${above} ${task.name}`.trim()
    if (task.type === 'suite') return timedTests(task.tasks, file, name)
    return [{ file, name, time: task.result?.duration ?? 0 }]
  })
}

/**
 * Seconds of processor time that a run may take: half as much again as its tests took without a mutant, and as
 * loading the modules took then, of all test files: one alone may load most of the project.
 */
function allowance(files: readonly string[]): number {
  if (!first) return Number.POSITIVE_INFINITY
  const pattern = config?.testNamePattern
  const isChosen = ({ file, name }: TimedTest) => files.includes(file) && (!pattern || pattern.test(name))
  const timeOf = (tests: readonly TimedTest[]) => tests.reduce((sum, { time }) => sum + time, 0)
  const share = timeOf(first.tests.filter(isChosen)) / Math.max(1, timeOf(first.tests))
  return besides + 1.5 * (share * first.seconds + first.loading)
}

/** Calls `stop` when a run has used up its time; gives a function that ends the watch. */
function watchRun(files: readonly string[], state: Vitest['state'], stop: () => void): () => void {
  const start = processorTime()
  const most = allowance(files)
  let busy = { at: performance.now(), used: start }
  const timer = setInterval(() => {
    const used = processorTime()
    if (used - busy.used > waiting) busy = { at: performance.now(), used }
    const isIdle = performance.now() - busy.at > idle
    if (first && (isIdle || used - start > most)) stop()
  }, 500)
  return () => {
    clearInterval(timer)
    first ??= {
      seconds: processorTime() - start,
      tests: state.getFiles().flatMap(({ tasks, filepath }) => timedTests(tasks, filepath)),
      loading: state.getFiles().reduce((sum, file) => sum + (file.collectDuration ?? 0), 0) / 1000,
    }
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
      const files = (context?.files ?? []).map(({ filepath }) => filepath)
      endWatch = watchRun(files, state, giveUp)
      own.postMessage({ ...(message as object), context: { ...context, config } })
    },
  }
}

export const warmPool: PoolRunnerInitializer = { name: 'warm', createPoolWorker: warmWorker }
