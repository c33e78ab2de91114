import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { HostLimitError } from '../../../src/ingest/fetch/host-limiter.js'
import { type RedisLimitOptions, redisHostLimiter } from '../../../src/ingest/fetch/redis-host-limiter.js'

afterEach(() => {
  vi.restoreAllMocks()
})

type Args = readonly (string | number)[]
const options = { holdMs: 100 }

/**
 * A limiter, and in the place of Redis what answers its scripts: it has so many places, and answers when it is let
 * to. What the scripts themselves do is tested against Redis (host-limiter.test.ts).
 */
function scripted(places: number, given: RedisLimitOptions = {}) {
  const calls = {
    serve: [] as { keys: Args; args: Args }[],
    renew: [] as Args[],
    turn: [] as Args[],
    pause: [] as Args[],
  }
  const held = new Set<string | number>()
  const state = {
    calls,
    held,
    known: new Set<string>(),
    most: 0,
    pauseMs: 0,
    turnMs: 0,
    failure: undefined as Error | undefined,
    hold: Promise.resolve(),
  }
  let underWay = 0
  const run = async (numkeys: number, all: Args) => {
    const [keys, args] = [all.slice(0, numkeys), all.slice(numkeys)]
    const kind = numkeys === 4 ? 'serve' : String(keys[0]).split(':').at(-1)
    if (kind === 'turn') calls.turn.push(all)
    else if (kind === 'held') calls.renew.push(all)
    else calls.serve.push({ keys, args })
    if (kind === 'serve') state.most = Math.max(state.most, ++underWay)
    try {
      if (state.failure) throw state.failure
      await state.hold
    } finally {
      if (kind === 'serve') underWay--
    }
    if (kind === 'turn') return state.turnMs
    if (kind === 'held') return 0
    const returned = Number(args[4])
    for (const id of args.slice(5, 5 + returned)) held.delete(id)
    const wanted = args.slice(5 + returned)
    if (state.pauseMs > 0 && wanted.length > 0) return [0, state.pauseMs]
    const granted = wanted.slice(0, Math.max(0, Math.min(places, Number(args[3])) - held.size))
    for (const id of granted) held.add(id)
    return [granted.length, 0]
  }
  const limiter = redisHostLimiter(
    {
      async evalsha(hash, numkeys, ...all) {
        if (!state.known.has(hash)) {
          state.known.add(hash)
          throw new Error('NOSCRIPT No matching script.')
        }
        return run(numkeys, all)
      },
      async eval(script, numkeys, ...all) {
        if (!/'pause'|KEYS\[2\]/.test(script) && numkeys === 1 && String(all[0]).endsWith(':pause')) {
          calls.pause.push(all)
          if (state.failure) throw state.failure
          return 0
        }
        return run(numkeys, all)
      },
    },
    given,
  )
  return { limiter, ...state, state }
}
/** What serve was told: of whom, for what limit, what is given back and what is wanted. */
const told = ({ args }: { args: Args }) => {
  const returned = Number(args[4])
  return {
    me: args[0],
    leaseMs: args[1],
    limit: args[3],
    back: args.slice(5, 5 + returned),
    ids: args.slice(5 + returned),
  }
}

describe('a process', () => {
  it('asks by scripts whose keys are of one slot, and gives back once', async () => {
    const { limiter, calls, held } = scripted(2)
    const leases = await Promise.all([1, 2].map(() => limiter.acquire('host:a', 2, options)))
    expect(held.size).toBe(2)
    expect(calls.serve[0]?.keys).toEqual(
      ['held', 'queue', 'seen', 'pause'].map((what) => `groundmill-hosts:{host:a}:${what}`),
    )
    const { me, leaseMs, limit } = told(calls.serve[0]!)
    expect(me).toMatch(/^[\w-]{12}$/)
    expect([leaseMs, limit]).toEqual([30_000, 2])
    expect([...held].sort()).toEqual([`${me}.0`, `${me}.1`])
    const asked = calls.serve.length
    leases[0]?.release()
    leases[0]?.release()
    await sleep(1)
    expect(calls.serve).toHaveLength(asked + 1)
    expect(told(calls.serve.at(-1)!)).toMatchObject({ limit: 0, back: [`${me}.0`], ids: [] })
    expect(leases[0]?.until).toBe(Number.NEGATIVE_INFINITY)
    expect(leases[1]?.until).toBeGreaterThan(performance.now() + 29_000)
    expect(leases[1]?.until).toBeLessThan(performance.now() + 30_001)
    await limiter.close()
    expect([...held]).toEqual([])
  })

  it('asks for all that it wants at once, of one limit at a time', async () => {
    const { limiter, calls, state } = scripted(5, { prefix: 'p' })
    let goOn = () => {}
    state.hold = new Promise((resolve) => {
      goOn = resolve
    })
    const all = [2, 2, 2, 3, 2].map((limit) => limiter.acquire('host:a', limit, options))
    await sleep(1)
    goOn()
    const first = await Promise.all(all.slice(0, 2))
    // Never two questions under way.
    expect(state.most).toBe(1)
    for (const lease of first) lease.release()
    ;(await all[2]!).release()
    ;(await all[3]!).release()
    ;(await all[4]!).release()
    const [one, two] = calls.serve.map(told)
    expect(calls.serve[0]?.keys[0]).toBe('p:{host:a}:held')
    expect([one?.limit, one?.ids.length]).toEqual([2, 1])
    expect([two?.limit, two?.ids.length]).toEqual([2, 2])
    expect(calls.serve.map(told).find(({ limit }) => limit === 3)?.ids).toHaveLength(1)
    await limiter.close()
  })

  it('asks again after a time that grows, where there is no place', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const { limiter, calls, held } = scripted(1)
    held.add('of another')
    const waits = limiter.acquire('host:a', 1, options)
    await sleep(120)
    // 22, 34, 51 and 76 ms, as the waits are at their longest.
    expect(calls.serve.length).toBeGreaterThan(1)
    expect(calls.serve.length).toBeLessThan(6)
    held.clear()
    ;(await waits).release()
    await limiter.close()
  })

  it('asks again when a pause is over', async () => {
    const { limiter, calls, state } = scripted(1)
    state.pauseMs = 60
    const start = performance.now()
    const waits = limiter.acquire('host:a', 1, options)
    await sleep(20)
    state.pauseMs = 0
    await waits
    expect(performance.now() - start).toBeGreaterThan(58)
    expect(calls.serve.length).toBe(2)
    await limiter.close()
  })

  it('gives back what was granted to one that has left meanwhile', async () => {
    const { limiter, calls, held, state } = scripted(3)
    const first = await limiter.acquire('host:a', 3, options)
    await sleep(1)
    let goOn = () => {}
    state.hold = new Promise((resolve) => {
      goOn = resolve
    })
    const abort = new AbortController()
    const waits = limiter.acquire('host:a', 3, { ...options, signal: abort.signal })
    await sleep(1)
    abort.abort(new Error('enough'))
    // While it is asked.
    first.release()
    await expect(waits).rejects.toThrow('enough')
    goOn()
    await sleep(5)
    expect([...held]).toEqual([])
    expect(told(calls.serve.at(-1)!).back).toHaveLength(2)
    expect(state.most).toBe(1)
    await expect(
      limiter.acquire('host:a', 1, { ...options, signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before')
    const { signal } = new AbortController()
    ;(await limiter.acquire('host:a', 1, { ...options, signal })).release()
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await limiter.close()
  })

  it('renews what it holds, and knows when it could not', async () => {
    const { limiter, calls, state } = scripted(3, { leaseMs: 60 })
    const lease = await limiter.acquire('host:a', 3, options)
    ;(await limiter.acquire('host:b', 3, options)).release()
    const before = lease.until
    expect(before).toBeLessThan(performance.now() + 61)
    await sleep(50)
    expect(lease.until).toBeGreaterThan(before + 15)
    const { me } = told(calls.serve[0]!)
    for (const call of calls.renew) expect(call).toEqual(['groundmill-hosts:{host:a}:held', 60, `${me}.0`])
    state.failure = new Error('Connection is closed.')
    const [last, renewed] = [lease.until, calls.renew.length]
    await sleep(45)
    expect(calls.renew.length).toBeGreaterThan(renewed)
    expect(lease.until).toBe(last)
    state.failure = undefined
    await limiter.close()
    const ended = calls.renew.length
    await sleep(30)
    expect(calls.renew).toHaveLength(ended)
  })

  it('has no places where its connection is closed, and has them again with a new one', async () => {
    const { limiter, state, held } = scripted(1)
    const lease = await limiter.acquire('host:a', 1, options)
    state.failure = new Error('Connection is closed.')
    const waits = Promise.all([1, 2].map(() => limiter.acquire('host:b', 1, options)))
    const late = sleep(500).then(() => Promise.reject(new Error('it waits')))
    await expect(Promise.race([waits, late])).rejects.toThrow(HostLimitError)
    await expect(waits).rejects.toThrow('Redis gives no places: Connection is closed.')
    await expect(limiter.delay('origin:a', 5)).rejects.toThrow(HostLimitError)
    // Whoever asks next is told.
    limiter.pause('host:a', 5)
    await sleep(1)
    state.failure = undefined
    lease.release()
    await sleep(1)
    expect(held.size).toBe(0)
    ;(await limiter.acquire('host:b', 1, options)).release()
    await limiter.close()
    late.catch(() => {})
  })

  it('waits for the turn that it is given, and tells of pauses', async () => {
    const { limiter, calls, state } = scripted(1, { prefix: 'p' })
    await limiter.delay('origin:a', 150)
    state.turnMs = 30
    const start = performance.now()
    await limiter.delay('origin:a', 150)
    expect(performance.now() - start).toBeGreaterThan(28)
    expect(calls.turn).toEqual(Array(2).fill(['p:{origin:a}:turn', 150]))
    state.turnMs = 60_000
    const abort = new AbortController()
    const waits = limiter.delay('origin:a', 150, abort.signal)
    abort.abort()
    await expect(waits).rejects.toThrow()
    limiter.pause('host:a', 400)
    expect(calls.pause).toEqual([['p:{host:a}:pause', 400]])
    await limiter.close()
  })

  it('that closes gives back what it holds, and nobody waits any longer', async () => {
    const { limiter, calls, held } = scripted(2)
    await Promise.all([1, 2].map(() => limiter.acquire('host:a', 2, options)))
    const waits = limiter.acquire('host:a', 2, options)
    const refused = expect(waits).rejects.toThrow(HostLimitError)
    await sleep(1)
    await limiter.close()
    await refused
    expect([...held]).toEqual([])
    await expect(limiter.acquire('host:a', 2, options)).rejects.toThrow('are closed')
    const asked = calls.serve.length
    await sleep(40)
    expect(calls.serve).toHaveLength(asked)
  })
})
