/**
 * Processes of the tests of the queue, started by `startQueueProcess`: a worker whose tasks are done in a child
 * process, that child, and a coordinator. A task commits a small file; what it does on the way is told by the
 * name of its shard.
 */
import { fork } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { UserError } from '../../src/base/user-error.js'
import type { TaskProcess } from '../../src/pipeline/engines/task-process.js'
import type { Resource } from '../../src/pipeline/stages/resource.js'
import type { RunTask, Task, TaskOptions, TaskResult } from '../../src/pipeline/tasks/task.js'
import { BusyError, errorOf, failureOf, type TaskFailure } from '../../src/pipeline/tasks/task-error.js'
import { findFileResult, tasksOf } from './fake-tasks.js'

interface WorkerSettings {
  readonly url: string
  readonly take: readonly Resource[]
  readonly graceMs?: number
  readonly unreadableUntilMs?: number
}

/** What a fake task takes, in milliseconds, where its shard's name says `slow`, and otherwise. */
const [slowMs, fastMs] = [3000, 15]

/** What blocks this process where it is waited for: nobody wakes it. */
const nobody = new Int32Array(new SharedArrayBuffer(4))

/** Does a task in this process. */
const runFake: RunTask = async (task, { signal, onProgress, onNotice }) => {
  const { run, stage, shard = 'all' } = task
  const file = join(run, stage, `${shard}.json`)
  const log = (text: string) => appendFileSync(join(run, 'log'), `${text} ${stage} ${shard} ${process.pid}\n`)
  const done = await findFileResult(task)
  if (done) {
    log('skipped')
    return done
  }
  const tries = readFileSync(join(run, 'log'), 'utf8').split(`begun ${stage} ${shard} `).length
  log('begun')
  if (shard.startsWith('bad'))
    throw new UserError(`${stage}: row 7 of https://me:pa55word@host/list?token=t0ken`)
  if (shard.startsWith('broken') || (shard.startsWith('flaky') && tries < 3))
    throw new Error(`no answer from https://me:pa55word@host/list?token=t0ken`)
  if (shard.startsWith('locked') && !existsSync(join(run, 'unlocked')))
    throw new BusyError('host-1, process 7, works there since noon')
  onNotice?.('from https://me:pa55word@host/x')
  const end = performance.now() + (shard.startsWith('slow') ? slowMs : fastMs)
  while (performance.now() < end) {
    signal?.throwIfAborted()
    onProgress?.(1, 2, 'half')
    if (shard.includes('blocked')) Atomics.wait(nobody, 0, 0, 10)
    else await sleep(10)
  }
  mkdirSync(join(run, stage), { recursive: true })
  const aside = `${file}.${process.pid}.aside`
  writeFileSync(aside, JSON.stringify(task.pipeline))
  renameSync(aside, file)
  log('made')
  const warnings = shard.startsWith('warned') ? ['see s3://key:pa55word@bucket/x'] : []
  return { ...(await findFileResult(task)), skipped: false, warnings } as TaskResult
}

/** Does tasks in a child of this process. */
function openFakeProcess(): TaskProcess {
  let child: ReturnType<typeof fork> | undefined
  return {
    pid: undefined,
    run: (task, { signal, onProgress, onNotice }: TaskOptions) =>
      new Promise((resolve, reject) => {
        child ??= fork(fileURLToPath(import.meta.url), ['child'], { execArgv: process.execArgv })
        const here = child
        const abort = () => here.send({ abort: true })
        const hear = (message: Record<string, unknown>) => {
          if (message.progress) onProgress?.(...(message.progress as [number, number, string]))
          if (message.notice) onNotice?.(message.notice as string)
          if (message.result) end(() => resolve(message.result as TaskResult))
          if (message.failure) end(() => reject(errorOf(message.failure as TaskFailure)))
        }
        const gone = () => {
          child = undefined
          end(() => reject(new Error('its process has ended')))
        }
        const end = (settle: () => void) => {
          here.off('message', hear).off('exit', gone)
          signal?.removeEventListener('abort', abort)
          settle()
        }
        here.on('message', hear).on('exit', gone)
        signal?.addEventListener('abort', abort)
        here.send({ task })
      }),
    isGone: () => false,
    async stop() {
      child?.disconnect()
      return []
    },
    kill: () => void child?.kill('SIGKILL'),
  }
}

function beChild(): void {
  let abort = new AbortController()
  const send = (message: object) => process.send?.(message)
  process.on('disconnect', () => process.exit())
  process.on('message', async (message: { task?: Task; abort?: boolean }) => {
    if (message.abort) abort.abort()
    if (!message.task) return
    abort = new AbortController()
    try {
      const result = await runFake(message.task, {
        signal: abort.signal,
        onProgress: (...progress) => send({ progress }),
        onNotice: (notice) => send({ notice }),
      })
      send({ result })
    } catch (error) {
      send({ failure: failureOf(error) })
    }
  })
}

async function beWorker({ url, take, ...more }: WorkerSettings): Promise<void> {
  const ending = new AbortController()
  process.once('SIGTERM', () => ending.abort())
  // Of a run of the tests some fifty are started, and each is one of the three.
  const { runQueueWorker } = await import('../../src/pipeline/queue/queue-worker.js')
  const counts = await runQueueWorker({
    url,
    take,
    open: openFakeProcess,
    signal: ending.signal,
    onNotice: (text) => process.stderr.write(`${text}\n`),
    lockMs: 3000,
    stalledMs: 1000,
    putBackMs: 500,
    killMs: 2000,
    ...more,
  })
  process.stdout.write(JSON.stringify(counts))
  process.exit(130)
}

async function beCoordinator(settings: { url: string; run: string; pipeline: string; names: string[] }) {
  const { openQueueEngine } = await import('../../src/pipeline/queue/queue-engine.js')
  const engine = await openQueueEngine({
    url: settings.url,
    pipeline: {},
    findResult: findFileResult,
    reconcileMs: 500,
  })
  await Promise.all(
    tasksOf(settings.run, settings.names, settings.pipeline).map((task) => engine.submit(task, 'cpu', {})),
  )
  await engine.close()
}

const [role, settings = '{}'] = process.argv.slice(2)
if (role === 'child') beChild()
if (role === 'worker') await beWorker(JSON.parse(settings))
if (role === 'coordinator') await beCoordinator(JSON.parse(settings))
