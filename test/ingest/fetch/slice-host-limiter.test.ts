import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { HostLimiter } from '../../../src/ingest/fetch/host-limiter.js'
import { sliceHostLimiter } from '../../../src/ingest/fetch/slice-host-limiter.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const slicesOf = (count: number, given: { skewMs?: number; now?: () => number } = {}) =>
  Array.from({ length: count }, (_, index) => sliceHostLimiter({ index, count, ...given }))

/** How many places of a key a limiter gives at once, each of which is given back. */
async function placesOf(limiter: HostLimiter, limit: number, holdMs: number, key = 'host:a') {
  const leaving = new AbortController()
  const untils: number[] = []
  const asked = Array.from({ length: limit + 1 }, async () => {
    const lease = await limiter.acquire(key, limit, { holdMs, signal: leaving.signal })
    untils.push(lease.until)
    return lease
  })
  await turn()
  leaving.abort()
  const leases = await Promise.allSettled(asked)
  for (const lease of leases) if (lease.status === 'fulfilled') lease.value.release()
  return untils
}

describe('slices', () => {
  it.each([
    [3, 3],
    [3, 4],
    [3, 5],
    [2, 7],
    [4, 6],
  ])('%i divide %i places', async (count, limit) => {
    for (const key of ['host:a', 'host:b', 'host:c']) {
      const places = await Promise.all(
        slicesOf(count).map(async (slice) => (await placesOf(slice, limit, 10, key)).length),
      )
      expect(places.reduce((sum, number) => sum + number, 0)).toBe(limit)
      expect(Math.max(...places) - Math.min(...places)).toBeLessThanOrEqual(1)
    }
  })

  it('give those that cannot be divided to others with every host', async () => {
    const first = new Set<number>()
    for (let host = 0; host < 12; host++) {
      const places = await Promise.all(
        slicesOf(2).map(async (slice) => (await placesOf(slice, 3, 10, `host:${host}`)).length),
      )
      first.add(places.indexOf(2))
    }
    expect(first.size).toBe(2)
  })

  it('of one are no slices', async () => {
    const [limiter] = slicesOf(1) as [HostLimiter]
    const untils = await placesOf(limiter, 5, 10)
    expect(untils).toEqual(Array(5).fill(Number.POSITIVE_INFINITY))
  })

  it.each([
    [3, 1],
    [3, 2],
    [5, 2],
    [4, 3],
  ])('%i divide the time where there are %i places', async (count, limit) => {
    let now = 0
    const slices = slicesOf(count, { skewMs: 5, now: () => now })
    const [holdMs, slotMs] = [10, 25]
    const openAt = async (time: number) => {
      now = time
      const places = await Promise.all(
        slices.map(async (slice) => (await placesOf(slice, limit, holdMs)).length),
      )
      return places.flatMap((number, index) => {
        expect(number).toBeLessThanOrEqual(1)
        return number === 1 ? [index] : []
      })
    }
    const turns = Array(count).fill(0)
    for (let slot = 40; slot < 40 + count; slot++) {
      const begin = slot * slotMs
      // Clocks may differ, and what has begun must end within the slot.
      expect(await openAt(begin)).toEqual([])
      expect(await openAt(begin + 4)).toEqual([])
      const open = await openAt(begin + 5)
      expect(open).toHaveLength(limit)
      expect(await openAt(begin + 14)).toEqual(open)
      expect(await openAt(begin + 15)).toEqual([])
      for (const index of open) turns[index]++
    }
    expect(turns).toEqual(Array(count).fill(limit))
  })

  it('give places until a request could not end within its slot', async () => {
    let now = 100_000
    const slices = slicesOf(2, { skewMs: 0, now: () => now })
    for (let step = 0; step < 4; step++) {
      // 300 ms before the end of the time in which one may begin.
      now = 2000 * (100 + step) + 700
      const before = performance.now()
      const untils = (await Promise.all(slices.map((slice) => placesOf(slice, 1, 1000)))).flat()
      expect(untils).toHaveLength(1)
      expect(untils[0]).toBeGreaterThan(before + 299)
      expect(untils[0]).toBeLessThan(performance.now() + 301)
    }
  })

  it('wait for their slot, and no longer', async () => {
    const start = performance.now()
    const slices = slicesOf(2, { skewMs: 2, now: () => 1_000_000 + performance.now() - start })
    const got = await Promise.all(
      slices.map(async (slice) => {
        const lease = await slice.acquire('host:a', 1, { holdMs: 10 })
        lease.release()
        return performance.now() - start
      }),
    )
    // A round is of two slots of 22 ms.
    expect(Math.max(...got)).toBeGreaterThan(5)
    expect(Math.max(...got)).toBeLessThan(1000)
  })

  it('give turns of which each slice has its own', async () => {
    const waits = slicesOf(3, { now: () => 3_000_000 }).map(async (slice, index) => {
      const start = performance.now()
      await Promise.race([slice.delay('origin:a', 15), sleep(1000)])
      return { index, waited: performance.now() - start }
    })
    const [first, second, third] = (await Promise.all(waits)).sort((a, b) => a.waited - b.waited)
    expect(second?.waited).toBeGreaterThan(13)
    expect(third?.waited).toBeGreaterThan(28)
    expect(third?.waited).toBeLessThan(900)
    // The rounds go by the slices' numbers, from another one with every host.
    expect([second?.index, third?.index]).toEqual([(first!.index + 1) % 3, (first!.index + 2) % 3])
  })

  it('have turns further apart for themselves', async () => {
    let now = 0
    const [slice] = slicesOf(2, { now: () => now }) as [HostLimiter]
    // In the slot that is its own, whichever of the two that is.
    const start = performance.now()
    await slice.delay('origin:a', 10)
    now = 10
    await slice.delay('origin:a', 10)
    expect(performance.now() - start).toBeGreaterThan(18)
  })

  it('keep to a pause, and let go of who no longer waits', async () => {
    const [slice] = slicesOf(2) as [HostLimiter]
    slice.pause('host:a', 10_000)
    expect(await placesOf(slice, 4, 10)).toEqual([])
    expect(await placesOf(slice, 4, 10, 'host:b')).toHaveLength(2)
    const abort = new AbortController()
    const turns = [1, 2].map(() => slice.delay('origin:a', 60_000, abort.signal))
    abort.abort()
    for (const one of await Promise.allSettled(turns)) expect(one.status).toBe('rejected')
  })
})
