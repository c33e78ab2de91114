import { EventEmitter, getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type HostLease, HostLimitError, type HostLimiter } from '../../../src/ingest/fetch/host-limiter.js'
import { grantHostLimits, parentHostLimiter } from '../../../src/ingest/fetch/ipc-host-limiter.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** One end of a channel, and what is sent from it. */
function end() {
  const sent: object[] = []
  const events = Object.assign(new EventEmitter(), {
    connected: true,
    sent,
    send: (message: object) => void sent.push(structuredClone(message)),
  })
  return Object.assign(events, { hear: (hostLimit: object) => events.emit('message', { hostLimit }) })
}
/** Of others on the same channel. */
const foreign = [null, undefined, 5, 'granted', {}, { other: { id: 0, answer: 'granted', ask: 'pause' } }]

describe('a child', () => {
  it('asks its parent, waits for its answer and gives back once', async () => {
    const parent = end()
    const limiter = parentHostLimiter(parent)
    const place = limiter.acquire('host:a', 3, { holdMs: 70 })
    const other = limiter.acquire('host:b', 1, { holdMs: 70 })
    expect(parent.sent).toEqual([
      { hostLimit: { ask: 'acquire', id: 0, key: 'host:a', limit: 3, holdMs: 70 } },
      { hostLimit: { ask: 'acquire', id: 1, key: 'host:b', limit: 1, holdMs: 70 } },
    ])
    for (const message of foreign) parent.emit('message', message)
    parent.hear({ answer: 'granted', id: 99 })
    parent.hear({ answer: 'refused', id: 99, why: 'unknown' })
    expect(await Promise.race([place, other, turn()])).toBeUndefined()
    const before = performance.now()
    parent.hear({ answer: 'granted', id: 1, leftMs: 500 })
    parent.hear({ answer: 'granted', id: 0 })
    expect((await place).until).toBe(Number.POSITIVE_INFINITY)
    const { until, release } = await other
    expect(until).toBeGreaterThanOrEqual(before + 500)
    expect(until).toBeLessThanOrEqual(performance.now() + 500)
    release()
    release()
    expect(parent.sent.slice(2)).toEqual([{ hostLimit: { ask: 'leave', id: 1 } }])
  })

  it('asks for turns and tells of pauses', async () => {
    const parent = end()
    const limiter = parentHostLimiter(parent)
    limiter.pause('host:a', 400)
    const waits = limiter.delay('origin:a', 20)
    expect(parent.sent).toEqual([
      { hostLimit: { ask: 'pause', key: 'host:a', ms: 400 } },
      { hostLimit: { ask: 'delay', id: 0, key: 'origin:a', ms: 20 } },
    ])
    parent.hear({ answer: 'granted', id: 0 })
    expect(await waits).toBeUndefined()
  })

  it('is refused what its parent cannot have', async () => {
    const parent = end()
    const limiter = parentHostLimiter(parent)
    const waits = limiter.acquire('host:a', 1, { holdMs: 70 })
    parent.hear({ answer: 'refused', id: 0, why: 'Redis is away' })
    await expect(waits).rejects.toThrow(HostLimitError)
    await expect(waits).rejects.toThrow('Redis is away')
  })

  it('leaves where it is told to end', async () => {
    const parent = end()
    const limiter = parentHostLimiter(parent)
    const { signal } = new AbortController()
    const granted = limiter.acquire('host:a', 1, { holdMs: 70, signal })
    parent.hear({ answer: 'granted', id: 0 })
    await granted
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const abort = new AbortController()
    const waits = limiter.delay('origin:a', 20, abort.signal)
    abort.abort(new Error('enough'))
    await expect(waits).rejects.toThrow('enough')
    expect(parent.sent.slice(2)).toEqual([{ hostLimit: { ask: 'leave', id: 1 } }])
    // The answer that was on its way comes to nobody.
    parent.hear({ answer: 'granted', id: 1 })
    await expect(limiter.acquire('host:a', 1, { holdMs: 70, signal: abort.signal })).rejects.toThrow('enough')
    expect(parent.sent).toHaveLength(3)
  })

  it('whose parent has gone has no places, and waits for none', async () => {
    const parent = end()
    const limiter = parentHostLimiter(parent)
    const waits = [1, 2].map(() => limiter.acquire('host:a', 1, { holdMs: 70 }))
    parent.connected = false
    parent.emit('disconnect')
    for (const one of waits) await expect(one).rejects.toThrow(HostLimitError)
    await expect(limiter.delay('origin:a', 1)).rejects.toThrow('the process that says what may be fetched')
    limiter.pause('host:a', 1)
    expect(parent.sent).toHaveLength(2)
  })
})

describe('a parent', () => {
  /** A limiter whose places a test gives, and what was asked of it. */
  function given() {
    const notes: unknown[] = []
    const asked: {
      grant(until?: number): void
      refuse(error: Error): void
      signal: AbortSignal | undefined
    }[] = []
    const wait = (signal: AbortSignal | undefined) =>
      new Promise<HostLease>((resolve, reject) => {
        asked.push({
          signal,
          grant: (until = Number.POSITIVE_INFINITY) =>
            resolve({ until, release: () => void notes.push('released') }),
          refuse: reject,
        })
      })
    const limiter: HostLimiter = {
      acquire(key, limit, { holdMs, signal }) {
        notes.push(['acquire', key, limit, holdMs])
        return wait(signal)
      },
      async delay(key, ms, signal) {
        notes.push(['delay', key, ms])
        await wait(signal)
      },
      pause: (key, ms) => void notes.push(['pause', key, ms]),
    }
    return { limiter, notes, asked }
  }
  const acquire = (id: number) => ({ ask: 'acquire', id, key: 'host:a', limit: 2, holdMs: 70 })

  it('asks for its child, and answers it', async () => {
    const child = end()
    const { limiter, notes, asked } = given()
    grantHostLimits(child, limiter)
    for (const message of foreign) child.emit('message', message)
    expect(notes).toEqual([])
    child.hear(acquire(0))
    child.hear({ ask: 'delay', id: 1, key: 'origin:a', ms: 20 })
    child.hear({ ask: 'pause', key: 'host:a', ms: 400 })
    child.hear(acquire(2))
    expect(notes).toEqual([
      ['acquire', 'host:a', 2, 70],
      ['delay', 'origin:a', 20],
      ['pause', 'host:a', 400],
      ['acquire', 'host:a', 2, 70],
    ])
    await turn()
    expect(child.sent).toEqual([])
    asked[0]?.grant()
    asked[1]?.grant()
    asked[2]?.grant(performance.now() + 500)
    await turn()
    expect(child.sent).toHaveLength(3)
    expect(child.sent).toContainEqual({ hostLimit: { answer: 'granted', id: 0, leftMs: undefined } })
    expect(child.sent).toContainEqual({ hostLimit: { answer: 'granted', id: 1, leftMs: undefined } })
    const sent = child.sent as { hostLimit: { id: number; leftMs?: number } }[]
    const leftMs = sent.find(({ hostLimit }) => hostLimit.id === 2)?.hostLimit.leftMs
    expect(leftMs).toBeGreaterThan(300)
    expect(leftMs).toBeLessThanOrEqual(500)
    child.hear({ ask: 'leave', id: 0 })
    child.hear({ ask: 'leave', id: 0 })
    // A turn that was taken is nothing that could be given back.
    child.hear({ ask: 'leave', id: 1 })
    expect(notes.slice(4)).toEqual(['released'])
  })

  it('tells its child why there is no place', async () => {
    const child = end()
    const { limiter, asked } = given()
    grantHostLimits(child, limiter)
    child.hear(acquire(4))
    asked[0]?.refuse(new Error('closed'))
    await turn()
    expect(child.sent).toEqual([{ hostLimit: { answer: 'refused', id: 4, why: 'closed' } }])
  })

  it('answers nothing to a child that no longer waits', async () => {
    const child = end()
    const { limiter, notes, asked } = given()
    grantHostLimits(child, limiter)
    child.hear(acquire(0))
    child.hear(acquire(1))
    child.hear({ ask: 'leave', id: 0 })
    child.hear({ ask: 'leave', id: 1 })
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, true])
    // One was on its way, the other was given up.
    asked[0]?.grant()
    asked[1]?.refuse(new Error('enough'))
    await turn()
    expect(notes.slice(2)).toEqual(['released'])
    expect(child.sent).toEqual([])
  })

  it.each(['disconnect', 'end'])('gives back what its child holds and waits for at its %s', async (how) => {
    const child = end()
    const { limiter, notes, asked } = given()
    const stop = grantHostLimits(child, limiter)
    for (const id of [0, 1, 2]) child.hear(acquire(id))
    asked[0]?.grant()
    asked[1]?.grant()
    await turn()
    if (how === 'end') stop()
    else {
      child.connected = false
      child.emit('disconnect')
    }
    expect(notes.slice(3)).toEqual(['released', 'released'])
    expect(asked[2]?.signal?.aborted).toBe(true)
    asked[2]?.grant()
    await turn()
    expect(notes.slice(5)).toEqual(['released'])
    child.hear(acquire(3))
    expect(asked).toHaveLength(3)
    expect(child.sent).toHaveLength(2)
    expect(child.eventNames()).toEqual([])
    stop()
    expect(notes).toHaveLength(6)
  })

  it('listens to no child that has gone, and sends it nothing', async () => {
    const child = Object.assign(end(), { connected: false })
    const { limiter } = given()
    grantHostLimits(child, limiter)
    expect(child.eventNames()).toEqual([])
    const leaving = end()
    const other = given()
    grantHostLimits(leaving, other.limiter)
    leaving.hear(acquire(0))
    leaving.connected = false
    other.asked[0]?.grant()
    await turn()
    expect(leaving.sent).toEqual([])
  })
})
