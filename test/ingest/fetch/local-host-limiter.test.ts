import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type HostLease, type RequestRoom, withLeases } from '../../../src/ingest/fetch/host-limiter.js'
import { localHostLimiter } from '../../../src/ingest/fetch/local-host-limiter.js'

const options = { holdMs: 100 }
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('places in one process', () => {
  it('go to those who wait in their order, to none beyond the limit', async () => {
    const limiter = localHostLimiter()
    const got: string[] = []
    const leases: HostLease[] = []
    for (const name of ['a', 'b', 'c', 'd'])
      void limiter.acquire('host', 2, options).then((lease) => {
        got.push(name)
        leases.push(lease)
      })
    await turn()
    expect(got).toEqual(['a', 'b'])
    leases[0]?.release()
    leases[0]?.release()
    await turn()
    expect(got).toEqual(['a', 'b', 'c'])
    leases[1]?.release()
    await turn()
    expect(got).toEqual(['a', 'b', 'c', 'd'])
    expect(leases[0]?.until).toBe(Number.POSITIVE_INFINITY)
  })

  it('are not waited for by who leaves, and who is next has its turn', async () => {
    const limiter = localHostLimiter()
    const held = await limiter.acquire('host', 1, options)
    const leaving = new AbortController()
    const waits = limiter.acquire('host', 1, { ...options, signal: leaving.signal })
    const wide = limiter.acquire('host', 2, options)
    // None is passed by, though there would be a place for the one behind.
    expect(await Promise.race([wide, turn()])).toBeUndefined()
    leaving.abort(new Error('enough'))
    await expect(waits).rejects.toThrow('enough')
    ;(await wide).release()
    held.release()
    const { signal } = new AbortController()
    ;(await limiter.acquire('host', 1, { ...options, signal })).release()
    expect(getEventListeners(signal, 'abort')).toEqual([])
    const gone = AbortSignal.abort(new Error('before'))
    await expect(limiter.acquire('host', 1, { ...options, signal: gone })).rejects.toThrow('before')
  })

  it('are given to none during a pause, of which the longest holds', async () => {
    const limiter = localHostLimiter()
    limiter.pause('host', 40)
    limiter.pause('host', 5)
    const start = performance.now()
    const [first, second] = await Promise.all([1, 2].map(() => limiter.acquire('host', 2, options)))
    expect(performance.now() - start).toBeGreaterThan(38)
    first?.release()
    second?.release()
    ;(await limiter.acquire('other', 1, options)).release()
    // A longer one that comes later holds as well.
    limiter.pause('host', 1)
    limiter.pause('host', 30)
    const later = performance.now()
    ;(await limiter.acquire('host', 1, options)).release()
    expect(performance.now() - later).toBeGreaterThan(28)
  })

  it('have turns that come one by one', async () => {
    const limiter = localHostLimiter()
    const start = performance.now()
    const times = await Promise.all(
      [1, 2, 3].map(() => limiter.delay('origin', 20).then(() => performance.now() - start)),
    )
    expect(times[0]).toBeLessThan(times[1]!)
    expect(times[1]).toBeGreaterThan(18)
    expect(times[2]).toBeGreaterThan(38)
    const abort = new AbortController()
    await limiter.delay('slow', 60_000)
    const late = limiter.delay('slow', 60_000, abort.signal)
    abort.abort()
    await expect(late).rejects.toThrow()
  })
})

describe('work with places', () => {
  /** A limiter that notes what is taken and given back; its places run out as told. */
  const noted = (...untils: number[]) => {
    const notes: string[] = []
    return {
      notes,
      ...localHostLimiter(),
      acquire: async (key: string, limit: number) => {
        notes.push(`${key} of ${limit}`)
        return {
          until: untils.shift() ?? Number.POSITIVE_INFINITY,
          release: () => void notes.push(`${key} back`),
        }
      },
    }
  }
  const keys = [
    { key: 'a', limit: 1 },
    { key: 'b', limit: 2 },
  ]
  const begin = <T>(work: () => Promise<T>) => work()

  it('takes them in order, and gives them back the other way round', async () => {
    const limiter = noted()
    expect(await withLeases(limiter, keys, options, begin, async () => 7)).toBe(7)
    expect(limiter.notes).toEqual(['a of 1', 'b of 2', 'b back', 'a back'])
    await expect(
      withLeases(limiter, keys, options, begin, async () => {
        throw new Error('so it is')
      }),
    ).rejects.toThrow('so it is')
    expect(limiter.notes.slice(6)).toEqual(['b back', 'a back'])
  })

  it('takes them again where one has run out before it could begin', async () => {
    const limiter = noted(Number.POSITIVE_INFINITY, performance.now() - 1, performance.now() + 60_000)
    let worked = 0
    await withLeases(limiter, keys, options, begin, async () => void worked++)
    expect(worked).toBe(1)
    expect(limiter.notes).toHaveLength(8)
  })

  it('waits for room without a place, and takes none where it has gone meanwhile', async () => {
    const limiter = noted()
    const free = [false, true]
    let waits = 0
    const room: RequestRoom = {
      get isFree() {
        return free.shift()!
      },
      async wait() {
        waits++
        expect(limiter.notes.filter((note) => note.endsWith('back'))).toHaveLength(limiter.notes.length / 2)
        await sleep(1)
      },
    }
    expect(await withLeases(limiter, keys, { ...options, room }, begin, async () => 'done')).toBe('done')
    expect(waits).toBe(2)
    expect(limiter.notes).toHaveLength(8)
  })

  it('is not begun where it was ended while it waited', async () => {
    const abort = new AbortController()
    let worked = 0
    const ended = withLeases(
      noted(),
      keys,
      { ...options, signal: abort.signal },
      (work) => {
        abort.abort(new Error('enough'))
        return work()
      },
      async () => void worked++,
    )
    await expect(ended).rejects.toThrow('enough')
    expect(worked).toBe(0)
  })
})
