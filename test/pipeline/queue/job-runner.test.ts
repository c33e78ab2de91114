import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openJobRunner } from '../../../src/pipeline/queue/job-runner.js'
import type { RunTask, Task } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, tasksOf } from '../../helpers/fake-tasks.js'
import { forever, type TasksHere, tasksHere, untilStopped } from '../../helpers/tasks-here.js'

const [first, second] = tasksOf('/run', ['chunk/a', 'chunk/b']) as [Task, Task]
const killMs = 100

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function open(...works: RunTask[]) {
  const children: TasksHere[] = []
  const runner = openJobRunner(() => {
    const child = tasksHere(works[children.length] as RunTask, ['the end'])
    children.push(child)
    return child
  }, killMs)
  return { children, runner }
}

const quick: RunTask = async () => fakeResult()
const stopping = () => {
  const interrupt = new AbortController()
  return { interrupt, signal: interrupt.signal }
}

describe('the child process of a worker', () => {
  it('is started with the first task, and makes the next ones', async () => {
    const { children, runner } = open(quick)
    expect(await runner.close()).toEqual([])
    expect(children).toEqual([])
    const { signal } = stopping()
    expect(await runner.run(first, { signal })).toEqual(fakeResult())
    expect(await runner.run(second, { signal })).toEqual(fakeResult())
    expect(children.map(({ seen }) => seen.shards)).toEqual([['a', 'b']])
    // What it could have been killed by is over.
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is given what a task tells, and tells how it failed', async () => {
    const { runner } = open(async (_, { onProgress, onNotice }) => {
      onProgress?.(1, 2, 'half')
      onNotice?.('see')
      throw new Error('no')
    })
    const told: unknown[] = []
    await expect(
      runner.run(first, {
        signal: stopping().signal,
        onProgress: (...all) => told.push(all),
        onNotice: (text) => told.push(text),
      }),
    ).rejects.toThrow('no')
    expect(told).toEqual([[1, 2, 'half'], 'see'])
  })

  it('is replaced where it has gone', async () => {
    const { children, runner } = open(quick, quick)
    const { signal } = stopping()
    await runner.run(first, { signal })
    children[0]?.kill()
    await runner.run(second, { signal })
    expect(children.map(({ seen }) => seen.shards)).toEqual([['a'], ['b']])
  })

  it('stays where it stops when it is told to', async () => {
    const { children, runner } = open(untilStopped)
    const { interrupt, signal } = stopping()
    const done = runner.run(first, { signal })
    interrupt.abort(new Error('stopped'))
    await expect(done).rejects.toThrow('stopped')
    await vi.advanceTimersByTimeAsync(10 * killMs)
    expect(children[0]?.seen.kills).toBe(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it.each(['on the way', 'before'])('is killed where it does not stop: told %s', async (when) => {
    const { children, runner } = open(forever, quick)
    const { interrupt, signal } = stopping()
    if (when === 'before') interrupt.abort(new Error('stopped'))
    let error: Error | undefined
    const done = runner.run(first, { signal }).catch((reason) => {
      error = reason
    })
    await vi.advanceTimersByTimeAsync(10 * killMs)
    expect(children[0]?.seen.kills).toBe(when === 'before' ? 1 : 0)
    if (when !== 'before') interrupt.abort(new Error('stopped'))
    await vi.advanceTimersByTimeAsync(killMs - 1)
    expect(children[0]?.seen.kills).toBe(when === 'before' ? 1 : 0)
    await vi.advanceTimersByTimeAsync(1)
    await done
    expect(error).toEqual(new Error('stopped'))
    expect(children[0]?.seen.kills).toBe(1)
    await runner.run(second, { signal: stopping().signal })
    expect(children[1]?.seen.shards).toEqual(['b'])
  })

  it('is forgotten at once when it is killed for not stopping, though it is not gone yet', async () => {
    const slow = { ...tasksHere(forever), kill: () => {}, isGone: () => false }
    const next = tasksHere(quick)
    const children = [slow, next]
    const runner = openJobRunner(() => children.shift() as TasksHere, killMs)
    const { interrupt, signal } = stopping()
    const done = runner.run(first, { signal })
    interrupt.abort(new Error('stopped'))
    await Promise.all([expect(done).rejects.toThrow('stopped'), vi.advanceTimersByTimeAsync(killMs)])
    await runner.run(second, { signal: stopping().signal })
    expect(next.seen.shards).toEqual(['b'])
  })

  it('is let end, and says what its stages had to say', async () => {
    const { children, runner } = open(quick)
    await runner.run(first, { signal: stopping().signal })
    expect(await runner.close()).toEqual(['the end'])
    expect(children[0]?.seen).toMatchObject({ stops: 1, kills: 0 })
    expect(await runner.close()).toEqual([])
    await vi.advanceTimersByTimeAsync(10 * killMs)
    expect(children[0]?.seen).toMatchObject({ stops: 1, kills: 0 })
  })

  it('is killed where it does not end in time, or says nothing where it cannot', async () => {
    let [kills, fail] = [0, (_: Error) => {}]
    const child = {
      ...tasksHere(quick),
      stop: () =>
        new Promise<never>((_, reject) => {
          fail = reject
        }),
      kill: () => {
        kills++
        fail(new Error('killed'))
      },
    }
    const runner = openJobRunner(() => child, killMs)
    await runner.run(first, { signal: stopping().signal })
    const closed = runner.close()
    await vi.advanceTimersByTimeAsync(killMs - 1)
    expect(kills).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(await closed).toEqual([])
    expect(kills).toBe(1)
  })

  it('is killed at once by who abandons it', async () => {
    const { children, runner } = open(forever, quick)
    runner.kill()
    const done = runner.run(first, { signal: stopping().signal })
    runner.kill()
    await expect(done).rejects.toThrow('its process has ended')
    runner.kill()
    expect(children.map(({ seen }) => seen.kills)).toEqual([1])
    expect(await runner.close()).toEqual([])
  })
})
