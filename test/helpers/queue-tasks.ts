import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Resource } from '../../src/pipeline/stages/resource.js'
import { compiledProgram } from './compiled.js'
import { pipelines } from './fake-tasks.js'
import { nodeFlags } from './node-flags.js'

export const pipelineFile = (run: string, hash: string) => join(run, `.groundmill/pipelines/${hash}.json`)

/** Has something done when a test ends. Tests that run beside others have to give their own. */
export type AtEnd = typeof onTestFinished

/** A run with its pipelines, which workers look for, and an empty log; it goes away with its test. */
export async function fakeRun(atEnd: AtEnd = onTestFinished): Promise<string> {
  const run = await mkdtemp(join(tmpdir(), 'groundmill-run-'))
  atEnd(() => rm(run, { recursive: true, force: true }))
  await mkdir(join(run, '.groundmill/pipelines'), { recursive: true })
  for (const hash of pipelines) await writeFile(pipelineFile(run, hash), '{}')
  await writeFile(join(run, 'log'), '')
  return run
}

/** Names of `count` tasks. */
export const names = (count: number, stage = 'chunk', kind = 'shard'): string[] =>
  Array.from({ length: count }, (_, index) => `${stage}/${kind}${String(index).padStart(5, '0')}`)

/** Lines of a run's log that begin with a word: `begun`, `made`, `skipped`. */
export const logged = (run: string, word: string): string[] =>
  readFileSync(join(run, 'log'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${word} `))

/** A process of a test: its child goes with it, since it ends when it hears no more of its parent. */
export interface QueueProcess {
  readonly child: ChildProcess
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>
  err(): string
}

/** Starts `queue-process.ts` as a process; it is killed when the test is done. */
export function startQueueProcess(
  role: 'worker' | 'coordinator',
  settings: object,
  atEnd: AtEnd = onTestFinished,
): QueueProcess {
  const child = spawn(
    process.execPath,
    [...nodeFlags, compiledProgram('helpers/queue-process'), role, JSON.stringify(settings)],
    // A group of its own, so that it can be stopped with its child.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  let [out, err] = ['', '']
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    err += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }))
  atEnd(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, err: () => err }
}

export const startWorker = (url: string, take: readonly Resource[] = ['cpu'], settings = {}, atEnd?: AtEnd) =>
  startQueueProcess('worker', { url, take, ...settings }, atEnd)

/** Waits until something is so. Throws where it is not after a minute. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
