import { getEventListeners } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { localHostLimiter } from '../../../src/ingest/fetch/local-host-limiter.js'
import { startTaskProcess, type TaskProcessOptions } from '../../../src/pipeline/engines/task-process.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { BusyError, StageError } from '../../../src/pipeline/tasks/task-error.js'
import { tasksOf } from '../../helpers/fake-tasks.js'
import { soon, soonDone } from '../../helpers/queue-here.js'
import { scriptChildren } from '../../helpers/scripted-children.js'

await scriptChildren()

const taskOf = (shard: string, stage = 'chunk') => tasksOf('/nowhere', [`${stage}/${shard}`])[0] as Task

function start(options: Partial<TaskProcessOptions> = {}) {
  const started = startTaskProcess({ kind: 'worker', limiter: localHostLimiter(), ...options })
  onTestFinished(() => started.kill())
  return started
}

describe('a process that makes tasks', () => {
  it('makes one after another, tells how each goes on, and what its stages say at the end', async () => {
    const started = start({ kind: 'worker' })
    const told: unknown[] = []
    const events = {
      onProgress: (...all: unknown[]) => told.push(all),
      onNotice: (text: string) => told.push(text),
    }
    const first = await soonDone(started.run(taskOf('tells'), events))
    expect(first.counts).toEqual({ pid: started.pid, runs: 1 })
    expect(told).toEqual([[1, 2, 'half'], 'see'])
    const second = await soonDone(started.run(taskOf('tells'), {}))
    expect(second.counts).toEqual({ pid: started.pid, runs: 2 })
    expect(started.isGone()).toBe(false)
    expect(await soonDone(started.stop())).toEqual(['the end', 'of worker'])
    expect(started.isGone()).toBe(true)
    // What was said later was of no task that goes on.
    expect(told).toHaveLength(2)
    expect(await started.stop()).toEqual([])
  })

  it('has its share of the cores for a shard, and all for what is one task', async () => {
    const started = start({ cores: 3 })
    expect((await soonDone(started.run(taskOf('a'), {}))).counts.cores).toBe(3)
    const { shard, ...whole } = taskOf('a')
    expect((await soonDone(started.run(whole, {}))).counts).not.toHaveProperty('cores')
  })

  it('gives back the kind of an error', async () => {
    const started = start()
    const signal = new AbortController().signal
    for (const [kind, error] of [
      ['user', UserError],
      ['stage', StageError],
      ['busy', BusyError],
      ['other', Error],
    ] as const) {
      const failed = soonDone(started.run(taskOf(`fails-${kind}`), { signal }))
      await expect(failed).rejects.toBeInstanceOf(error)
    }
    await expect(soonDone(started.run(taskOf('fails-other'), {}))).rejects.toThrow('fails 5')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it.each(['on the way', 'before'])(
    'stops a task that is given up %s, and is there for the next',
    async (when) => {
      const started = start()
      const interrupt = new AbortController()
      if (when === 'before') interrupt.abort(new Error('mine'))
      const told: string[] = []
      const done = started.run(taskOf('waits'), {
        signal: interrupt.signal,
        onNotice: (text) => told.push(text),
      })
      done.catch(() => {})
      await soon(() => told.length === 1)
      interrupt.abort(new Error('mine'))
      await expect(soonDone(done)).rejects.toThrow('mine')
      expect((await soonDone(started.run(taskOf('a'), {}))).counts.runs).toBe(2)
    },
  )

  it.each([
    ['exits-7', 'chunk', 'the process that made shard exits-7 of "chunk" has ended (exit code 7)'],
    ['exits-7', 'said', 'the process that made shard exits-7 of "said" has ended (exit code 7, 1 of 2 done)'],
  ])('that ends on the way is told of with what it was doing: %s of %s', async (shard, stage, text) => {
    const started = start()
    const { signal } = new AbortController()
    const done = soonDone(started.run(taskOf(shard, stage), { signal }))
    await expect(done).rejects.toEqual(new Error(text))
    expect(started.isGone()).toBe(true)
    expect(await soonDone(started.stop())).toEqual([])
    await expect(soonDone(started.run(taskOf('a'), {}))).rejects.toThrow('has ended')
  })

  it('that ends in the middle of a whole stage is told of with it', async () => {
    const started = start()
    const { shard, ...whole } = taskOf('a', 'train')
    const done = started.run(whole, {})
    started.kill()
    await expect(soonDone(done)).rejects.toThrow(
      /^the process that made "train" has ended \(SIGKILL\): where nobody killed it, the system had no memory left/,
    )
  })

  it.each([
    ['SIGABRT', /native code gave up/],
    ['SIGSEGV', /native code failed/],
    ['SIGBUS', /a file was cut/],
    ['SIGTERM', /\(SIGTERM\)$/],
  ])('that ends by %s is told of with what that mostly means', async (signal, why) => {
    await expect(soonDone(start().run(taskOf(`exits-${signal}`), {}))).rejects.toThrow(why)
  })

  it('that ends after its task was given up is told of with the reason for that', async () => {
    const started = start()
    const interrupt = new AbortController()
    const done = started.run(taskOf('holds'), { signal: interrupt.signal })
    done.catch(() => {})
    started.kill()
    interrupt.abort(new Error('mine'))
    await expect(soonDone(done)).rejects.toThrow('mine')
    expect(getEventListeners(interrupt.signal, 'abort')).toHaveLength(0)
  })

  it('holds places at hosts of the limiter of its parent, until it ends', async () => {
    const limiter = localHostLimiter()
    const started = start({ limiter })
    await soonDone(started.run(taskOf('holds'), {}))
    let isMine = false
    const mine = limiter.acquire('host', 1, { holdMs: 1000 }).then(() => {
      isMine = true
    })
    await new Promise(setImmediate)
    expect(isMine).toBe(false)
    started.kill()
    await soonDone(mine)
  })
})
