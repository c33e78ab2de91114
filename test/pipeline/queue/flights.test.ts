import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src/base/user-error.js'
import { type Flight, openFlights } from '../../../src/pipeline/queue/flights.js'
import { jobIdOf } from '../../../src/pipeline/queue/queue-job.js'
import type { Task } from '../../../src/pipeline/tasks/task.js'
import { fakeResult, tasksOf } from '../../helpers/fake-tasks.js'
import { names } from '../../helpers/queue-tasks.js'

const [first, second, third] = tasksOf('/run', ['chunk/00000', 'chunk/00001', 'teach/00000']) as [
  Task,
  Task,
  Task,
]

function open() {
  const dropped: Flight[] = []
  const waits: string[] = []
  const released: Flight[] = []
  const flights = openFlights(
    (flight) => dropped.push(flight),
    (text) => waits.push(text),
  )
  const release = (task: Task, options = {}, resource: 'cpu' | 'gpu' = 'cpu') => {
    const done = flights.release(task, resource, options, (flight) => released.push(flight))
    done.catch(() => {})
    return done
  }
  return { flights, dropped, waits, released, release }
}

describe('a task under way', () => {
  it('is told of when it is released, not put yet, and is of its resource until it ends', async () => {
    const { flights, released, release } = open()
    const done = release(first, { priority: 7 })
    release(second)
    release(third, {}, 'gpu')
    expect(released).toEqual([
      { id: jobIdOf(first), task: first, resource: 'cpu', priority: 7, isPut: false, missed: 0 },
      { id: jobIdOf(second), task: second, resource: 'cpu', priority: 0, isPut: false, missed: 0 },
      { id: jobIdOf(third), task: third, resource: 'gpu', priority: 0, isPut: false, missed: 0 },
    ])
    const [one, other, gpu] = released as [Flight, Flight, Flight]
    expect(flights.of('cpu')).toEqual([one, other])
    expect(flights.of('gpu')).toEqual([gpu])
    flights.resolve(one, fakeResult({ out: 3 }))
    expect(await done).toEqual(fakeResult({ out: 3 }))
    expect([one, other, gpu].map((flight) => flights.has(flight))).toEqual([false, true, true])
    expect(flights.of('cpu')).toEqual([other])
    // It has ended already.
    flights.resolve(one, fakeResult())
  })

  it('ends with what is heard of it', async () => {
    const { flights, release, dropped } = open()
    const [good, bad, other] = [release(first), release(second), release(third)]
    flights.events.onCompleted('unknown', fakeResult())
    flights.events.onFailed('unknown', 'why')
    flights.events.onCompleted(jobIdOf(first), fakeResult({ out: 5 }))
    flights.events.onFailed(jobIdOf(second), '(user) mend it')
    flights.events.onFailed(jobIdOf(third), 'again')
    expect(await good).toEqual(fakeResult({ out: 5 }))
    await expect(bad).rejects.toEqual(new UserError('mend it'))
    await expect(bad).rejects.toBeInstanceOf(UserError)
    await expect(other).rejects.not.toBeInstanceOf(UserError)
    expect(dropped).toEqual([])
  })

  it('goes on where another coordinator has stopped its job', async () => {
    const { flights, released, release } = open()
    const done = release(first)
    flights.events.onCompleted(jobIdOf(first), { stopped: true })
    expect(flights.has(released[0] as Flight)).toBe(true)
    flights.events.onCompleted(jobIdOf(first), fakeResult())
    expect(await done).toEqual(fakeResult())
  })

  it('hands on how it goes on, and why it waits', () => {
    const { flights, waits, release } = open()
    const progress: unknown[] = []
    const notices: string[] = []
    release(first, {
      onProgress: (...all: unknown[]) => progress.push(all),
      onNotice: (text: string) => notices.push(text),
    })
    release(second)
    const { onProgress } = flights.events
    onProgress(jobIdOf(first), { at: [1, 2, 'half'] })
    onProgress(jobIdOf(first), { at: [2, 2], notices: ['a', 'b'] })
    onProgress(jobIdOf(first), { waits: 'locked' })
    // Who does not listen is told nothing.
    onProgress(jobIdOf(second), { at: [1, 2], notices: ['c'] })
    onProgress('unknown', { at: [1, 9], notices: ['d'], waits: 'of another' })
    expect(progress).toEqual([
      [1, 2, 'half'],
      [2, 2],
    ])
    expect(notices).toEqual(['a', 'b'])
    expect(waits).toEqual(['locked'])
  })

  it('is refused where it is under way already, and may come again when it has ended', async () => {
    const { flights, released, release } = open()
    const done = release(first)
    await expect(release({ ...first, session: 'another' })).rejects.toThrow(
      'chunk 00000 is under way already',
    )
    expect(released).toHaveLength(1)
    flights.events.onCompleted(jobIdOf(first), fakeResult())
    await done
    release(first)
    expect(released).toHaveLength(2)
  })

  it('is given up with the signal, whose reason it is rejected with', async () => {
    const { flights, released, release, dropped } = open()
    const interrupt = new AbortController()
    const done = release(first, { signal: interrupt.signal })
    const other = release(second)
    interrupt.abort(new Error('interrupted'))
    await expect(done).rejects.toThrow('interrupted')
    expect(dropped).toEqual([released[0]])
    expect(released.map((flight) => flights.has(flight))).toEqual([false, true])
    flights.events.onCompleted(jobIdOf(second), fakeResult())
    await other
    await expect(release(third, { signal: interrupt.signal })).rejects.toThrow('interrupted')
    expect(released).toHaveLength(2)
    expect(dropped).toHaveLength(1)
  })

  it('leaves the signal of its run alone when it has ended, however it did', async () => {
    const { flights, release, dropped } = open()
    const interrupt = new AbortController()
    const { signal } = interrupt
    const [good, bad] = [release(first, { signal }), release(second, { signal })]
    expect(getEventListeners(signal, 'abort')).toHaveLength(2)
    flights.events.onCompleted(jobIdOf(first), fakeResult())
    flights.events.onFailed(jobIdOf(second), 'again')
    await good
    await expect(bad).rejects.toThrow('again')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    interrupt.abort()
    expect(dropped).toEqual([])
  })

  it('shares the signal of its run with many others, of which Node does not warn', async () => {
    const { release } = open()
    const { signal } = new AbortController()
    const warned: string[] = []
    const hear = ({ name }: Error) => warned.push(name)
    process.on('warning', hear)
    for (const task of tasksOf('/run', names(12))) release(task, { signal })
    await new Promise(setImmediate)
    process.off('warning', hear)
    expect(warned).not.toContain('MaxListenersExceededWarning')
  })

  it('is given up with all others', async () => {
    const { flights, released, release, dropped } = open()
    const all = [release(first), release(third, {}, 'gpu')]
    flights.dropAll(new Error('closed'))
    for (const done of all) await expect(done).rejects.toThrow('closed')
    expect(dropped).toEqual(released)
    expect(flights.of('cpu')).toEqual([])
    flights.dropAll(new Error('twice'))
    expect(dropped).toHaveLength(2)
  })
})
