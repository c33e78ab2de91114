/**
 * What the queue itself takes, with tasks that do nothing: tasks a second from the coordinator through Redis to
 * two workers and their child processes and back, and what Redis and the coordinator hold at a window of 1,000
 * tasks and in one of all of them. Needs `redis-server`, which it starts on loopback with an append-only file.
 *
 *     npm run bench:queue -- [--tasks 400000] [--runs 3] [--json]
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '../src/pipeline/engines/engine.js'
import type { TaskProcess } from '../src/pipeline/engines/task-process.js'
import { loadBullMq } from '../src/pipeline/queue/load-bullmq.js'
import { checkRedis, openConnection, queueAddress } from '../src/pipeline/queue/queue-address.js'
import { openQueueEngine } from '../src/pipeline/queue/queue-engine.js'
import { runQueueWorker } from '../src/pipeline/queue/queue-worker.js'
import { type Task, type TaskResult, taskProtocol } from '../src/pipeline/tasks/task.js'
import { gatherFigures, median, option, printReport } from './report.js'

const self = fileURLToPath(import.meta.url)
const [, , role = '', address = ''] = process.argv
const empty: TaskResult = {
  ...{ skipped: false, in: 1, out: 1, rejected: {}, relabelled: {}, counts: {}, failed: [], warnings: [] },
}

/** A child process that answers at once: as far as a real one is away, and no work. */
function openEmptyProcess(): TaskProcess {
  const child = fork(self, ['child'], { execArgv: process.execArgv })
  return {
    pid: child.pid,
    async run() {
      child.send('run')
      const [result] = await once(child, 'message')
      return result as TaskResult
    },
    isGone: () => child.exitCode !== null,
    async stop() {
      child.disconnect()
      return []
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

const taskOf = (run: string, index: number): Task => ({
  ...{ v: taskProtocol, run, pipeline: 'a'.repeat(64), session: 'bench', stage: 'chunk' },
  shard: String(index).padStart(6, '0'),
})

/** Gives an engine tasks as a scheduler does: no more than its window at once. Seconds. */
async function carry(engine: Engine, run: string, count: number): Promise<number> {
  const start = performance.now()
  let next = 0
  const lane = async () => {
    while (next < count) await engine.submit(taskOf(run, next++), 'cpu', { priority: 1 })
  }
  await Promise.all(Array.from({ length: engine.window }, lane))
  return (performance.now() - start) / 1000
}

async function startRedis(folder: string): Promise<{ url: string; child: ChildProcess }> {
  const port = 20_000 + (process.pid % 20_000)
  const options = ['--port', String(port), '--dir', folder, '--bind', '127.0.0.1', '--appendonly', 'yes']
  const child = spawn('redis-server', [...options, '--save', '', '--maxmemory-policy', 'noeviction'], {
    stdio: 'ignore',
  })
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))])
  return { url: `redis://127.0.0.1:${port}`, child }
}

/** When a worker takes tasks. Rejects where it has ended before. */
const ready = (worker: ChildProcess) =>
  Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(([code]) => Promise.reject(new Error(`a worker has ended with ${code}`))),
  ])

/** Runs work with Redis and workers of its own. */
async function withQueue<T>(
  workers: number,
  work: (engine: Engine, memory: (what: string) => Promise<number>) => Promise<T>,
  window = 1000,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'groundmill-bench-'))
  const { url, child } = await startRedis(folder)
  const libraries = await loadBullMq()
  await checkRedis(libraries, queueAddress(url), 10_000)
  const redis = openConnection(libraries, queueAddress(url))
  const processes = Array.from({ length: workers }, () =>
    fork(self, ['worker', url], { execArgv: process.execArgv }),
  )
  await Promise.all(processes.map(ready))
  const engine = await openQueueEngine({ url, pipeline: {}, window })
  try {
    return await work(engine, async (what) =>
      Number(new RegExp(`^${what}:(\\d+)`, 'm').exec(await redis.info('memory'))?.[1]),
    )
  } finally {
    await engine.close()
    redis.disconnect()
    for (const one of processes) one.kill('SIGKILL')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(): Promise<void> {
  const tasks = Number(option('tasks', '400000'))
  const runs = Number(option('runs', '3'))
  const { figures, ...gathered } = gatherFigures()
  // It takes minutes: what is known already is told.
  const report: typeof gathered.report = (name, value, unit, ...rest) => {
    process.stderr.write(`${name}: ${value?.toFixed(0)} ${unit}\n`)
    gathered.report(name, value, unit, ...rest)
  }
  const short = Math.min(20_000, tasks)
  const rates: number[] = []
  for (let index = 0; index < runs; index++)
    rates.push(short / (await withQueue(2, (engine) => carry(engine, `/run-${index}`, short))))
  const rate = median(rates)
  const spread = `${runs} runs of ${short} tasks, ${rates.map((each) => each.toFixed(0)).join(', ')}`
  report('tasks a second, 2 workers', rate, '1/s', '>= 1000', rate >= 1000, spread)

  let peak = 0
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss())
  }, 100)
  const [seconds, redisPeak] = await withQueue(2, async (engine, memory) => [
    await carry(engine, '/run', tasks),
    await memory('used_memory_peak'),
  ])
  clearInterval(timer)
  const of = `${tasks} tasks through a window of 1000`
  report('tasks a second over all', tasks / seconds, '1/s', '', null, of)
  report('Redis at its peak', redisPeak / 1e6, 'MB', '<= 20', redisPeak <= 20e6, of)
  report('coordinator at its peak', peak / 1e6, 'MB', '<= 300', peak <= 300e6, of)

  const held = Math.min(50_000, tasks)
  const bytes = await withQueue(
    0,
    async (engine, memory) => {
      const before = await memory('used_memory')
      const stop = new AbortController()
      const all = Array.from({ length: held }, (_, index) =>
        engine.submit(taskOf('/run', index), 'cpu', { signal: stop.signal }).catch(() => {}),
      )
      let [last, now] = [-1, 0]
      while (now !== last) {
        await new Promise((resolve) => setTimeout(resolve, 3000))
        ;[last, now] = [now, Math.round((await memory('used_memory')) / 1e5)]
      }
      const after = await memory('used_memory')
      stop.abort()
      await Promise.all(all)
      return (after - before) / held
    },
    held,
  )
  report('a waiting task in Redis', bytes, 'B', '', null, `${held} waiting at once`)
  printReport('queue', runs, figures)
}

if (role === 'child') {
  process.on('disconnect', () => process.exit())
  process.on('message', () => process.send?.(empty))
} else if (role === 'worker')
  await runQueueWorker({
    url: address,
    take: ['cpu'],
    open: openEmptyProcess,
    signal: new AbortController().signal,
    canRead: async () => true,
    onReady: () => process.send?.('ready'),
  })
else await measure()
