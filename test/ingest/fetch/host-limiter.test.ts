import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import type { HostLimiter } from '../../../src/ingest/fetch/host-limiter.js'
import { HostLimitError, withLeases } from '../../../src/ingest/fetch/host-limiter.js'
import { grantHostLimits, parentHostLimiter } from '../../../src/ingest/fetch/ipc-host-limiter.js'
import { localHostLimiter } from '../../../src/ingest/fetch/local-host-limiter.js'
import { redisHostLimiter } from '../../../src/ingest/fetch/redis-host-limiter.js'
import { sliceHostLimiter } from '../../../src/ingest/fetch/slice-host-limiter.js'
import { compiledProgram } from '../../helpers/compiled.js'
import type { ChildSettings } from '../../helpers/host-limiter-child.js'
import { hasRedis, redisServer } from '../../helpers/redis-server.js'

const options = { holdMs: 100 }

/** Two ends of a channel as processes have it, in one process: what is sent arrives later, as a copy. */
function channel() {
  const ends = [0, 1].map(() => Object.assign(new EventEmitter(), { connected: true }))
  const [parent, child] = ends.map((end, index) =>
    Object.assign(end, {
      send: (message: object) => {
        const copy = structuredClone(message)
        setImmediate(() => ends[1 - index]?.emit('message', copy))
      },
    }),
  ) as [
    EventEmitter & { connected: boolean; send(message: object): void },
    EventEmitter & { connected: boolean },
  ]
  const close = () => {
    for (const end of ends) {
      end.connected = false
      end.emit('disconnect')
    }
  }
  return { parent, child, close }
}

/** A server that counts the requests that are under way at once, by what takes 30 ms each. */
async function countingServer(answerMs = 30) {
  const counts = { underWay: 0, most: 0, all: 0 }
  const server = createServer((request, response) => {
    counts.all++
    counts.most = Math.max(counts.most, ++counts.underWay)
    const timer = setTimeout(() => response.end('picture'), answerMs)
    // Told once, whether it was answered or its client has gone.
    response.on('close', () => {
      clearTimeout(timer)
      counts.underWay--
    })
    request.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts }
}

function startChild(settings: ChildSettings, limiter?: HostLimiter) {
  const child = fork(compiledProgram('helpers/host-limiter-child'), [JSON.stringify(settings)], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (limiter) grantHostLimits(child, limiter)
  let out = ''
  child.stdout?.on('data', (text) => {
    out += text
  })
  // After a disconnect of ours there is no `close`.
  const ends = [once(child, 'exit'), once(child.stdout as Readable, 'end')]
  const ended = Promise.all(ends).then(() => (out === '' ? undefined : (JSON.parse(out) as object)))
  return { child, ended }
}

const redis = hasRedis ? await redisServer() : undefined
const connect = () => {
  const connection = new Redis(redis?.url ?? '', { maxRetriesPerRequest: null })
  connection.on('error', () => {})
  afterAll(() => connection.disconnect())
  return connection
}
let prefixes = 0

const request = (limiter: HostLimiter, limit: number, work: () => Promise<void>) =>
  withLeases(limiter, [{ key: 'host:a', limit }], { holdMs: 30 }, (begin) => begin(), work)

/** Each kind as it is among several processes: the limiters of `count` of them. */
const kinds: Record<string, (count: number) => HostLimiter[]> = {
  'of one process': (count) => Array(count).fill(localHostLimiter()),
  'granted by a parent': (count) => {
    const limiter = localHostLimiter()
    return Array.from({ length: count }, () => {
      const { parent, child } = channel()
      grantHostLimits(parent, limiter)
      return parentHostLimiter(child)
    })
  },
  'of slices': (count) =>
    Array.from({ length: count }, (_, index) => sliceHostLimiter({ index, count, skewMs: 5 })),
  ...(hasRedis && {
    'in Redis': (count: number) => {
      const prefix = `test-${prefixes++}`
      return Array.from({ length: count }, () => redisHostLimiter(connect(), { prefix, leaseMs: 3000 }))
    },
  }),
}

describe.each(Object.entries(kinds))('limits %s', (name, limitersOf) => {
  it.each([
    { processes: 1, limit: 1, work: 6 },
    { processes: 3, limit: 2, work: 8 },
    { processes: 2, limit: 5, work: 24 },
    { processes: 4, limit: 4, work: 12 },
  ])('$limit hold over $processes, and each has its work done', async ({ processes, limit, work }) => {
    const limiters = limitersOf(processes)
    // Slices must leave the places to each other, so that they may never be full.
    const full = name === 'of slices' ? 1 : Math.min(limit, processes * work)
    let [underWay, most, setFull] = [0, 0, () => {}]
    const isFull = new Promise<void>((resolve) => {
      setFull = resolve
    })
    const doneBy = limiters.map(() => 0)
    await Promise.all(
      limiters.flatMap((limiter, process) =>
        Array.from({ length: work }, () =>
          request(limiter, limit, async () => {
            most = Math.max(most, ++underWay)
            if (underWay === full) setFull()
            // Not by the clock: on a busy machine the last place may be given when the first work is long over.
            await Promise.race([isFull, sleep(20_000, undefined, { ref: false })])
            await sleep(10)
            underWay--
            doneBy[process] = (doneBy[process] ?? 0) + 1
          }),
        ),
      ),
    )
    expect(most).toBeLessThanOrEqual(limit)
    expect(most).toBeGreaterThanOrEqual(full)
    expect(doneBy).toEqual(limiters.map(() => work))
  })

  it('let nobody starve beside those who ask again and again', async () => {
    const [patient, ...greedy] = limitersOf(4) as [HostLimiter, ...HostLimiter[]]
    let [isOver, requests, begun] = [false, 0, 0]
    const all = greedy.flatMap((limiter) =>
      Array.from({ length: 5 }, async () => {
        while (!isOver) {
          await request(limiter, 2, () => sleep(5))
          requests++
        }
      }),
    )
    while (requests < 10) await sleep(5)
    for (let round = 0; round < 3; round++) {
      begun = requests
      await request(patient, 2, async () => {})
      // Each of the others has had its turns meanwhile, a few of them, not all there are.
      expect(requests - begun).toBeLessThan(60)
    }
    isOver = true
    await Promise.all(all)
  })

  it('of one host do not hold another up', async () => {
    const [limiter] = limitersOf(1)
    const held = await limiter?.acquire('host:a', 1, options)
    const other = await limiter?.acquire('host:b', 1, options)
    held?.release()
    other?.release()
  })

  it('let go of who no longer waits', async () => {
    const [limiter] = limitersOf(1) as [HostLimiter]
    const held = await limiter.acquire('host:a', 1, options)
    const leaving = new AbortController()
    const waits = limiter.acquire('host:a', 1, { ...options, signal: leaving.signal })
    const next = limiter.acquire('host:a', 1, options)
    setTimeout(() => leaving.abort(new Error('enough')), 30)
    await expect(waits).rejects.toThrow('enough')
    held.release()
    // Once, whoever says it twice.
    held.release()
    const lease = await next
    let isNext = false
    const last = limiter.acquire('host:a', 1, options).then((it) => {
      isNext = true
      return it
    })
    await sleep(50)
    expect(isNext).toBe(false)
    lease.release()
    ;(await last).release()
    await expect(
      limiter.acquire('host:a', 1, { ...options, signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before')
  })

  it('give no place while the host has asked for a pause', async () => {
    const [limiter] = limitersOf(1) as [HostLimiter]
    limiter.pause('host:a', 300)
    limiter.pause('host:a', 10)
    const start = performance.now()
    const lease = await limiter.acquire('host:a', 4, options)
    expect(performance.now() - start).toBeGreaterThan(280)
    lease.release()
  })

  it('give turns that are so far apart, over all', async () => {
    const limiters = limitersOf(3)
    // Whoever is new takes its time to connect.
    for (const limiter of limiters) await limiter.delay('origin:other', 1)
    const turns: number[] = []
    const begun = performance.now()
    await Promise.all(
      limiters.flatMap((limiter) =>
        [0, 1].map(async () => {
          await limiter.delay('origin:a', 150)
          turns.push(performance.now() - begun)
        }),
      ),
    )
    turns.sort((a, b) => a - b)
    // A busy machine lets a turn be seen late, and so nearer to the next one, but none early.
    for (const [turn, at] of turns.entries()) expect(at).toBeGreaterThan(150 * turn - 75)
  })
})

describe('a child whose parent grants places', () => {
  it('gives back what it holds when it ends, and what it waits for', async () => {
    const limiter = localHostLimiter()
    const first = channel()
    grantHostLimits(first.parent, limiter)
    const dying = parentHostLimiter(first.child)
    await dying.acquire('host:a', 1, options)
    const waits = dying.acquire('host:a', 1, options)
    waits.catch(() => {})
    await sleep(20)
    first.close()
    await expect(waits).rejects.toThrow(HostLimitError)
    await expect(dying.acquire('host:b', 1, options)).rejects.toThrow(HostLimitError)
    ;(await limiter.acquire('host:a', 1, options)).release()
  })

  it('takes a place again that has run out before it could begin', async () => {
    let now = 1_000_000
    const slices = { index: 0, count: 2, skewMs: 0, now: () => now }
    const { parent, child } = channel()
    grantHostLimits(parent, sliceHostLimiter(slices))
    const limiter = parentHostLimiter(child)
    const lease = await limiter.acquire('host:a', 1, { holdMs: 50 })
    expect(lease.until - performance.now()).toBeLessThanOrEqual(50)
    now += 60
    lease.release()
  })
})

describe('processes that fetch from one server', () => {
  it('keep to the limit of their parent, one killed among them', async () => {
    const { address, counts } = await countingServer()
    const limiter = localHostLimiter()
    const settings: ChildSettings = { by: 'parent', address, pictures: 40, perHost: 3, timeoutMs: 5000 }
    const children = [0, 1, 2].map((index) => startChild({ ...settings, index }, limiter))
    while (counts.all < 30) await sleep(5)
    children[2]?.child.kill('SIGKILL')
    const [first, second, killed] = await Promise.all(children.map(({ ended }) => ended))
    expect([first, second]).toEqual([{ got: 40 }, { got: 40 }])
    expect(killed).toBeUndefined()
    expect(counts.most).toBe(3)
  })

  it('fail, and take no picture for gone, where their parent has gone', async () => {
    const { address, counts } = await countingServer()
    const settings: ChildSettings = { by: 'parent', address, pictures: 40, perHost: 2, timeoutMs: 5000 }
    const { child, ended } = startChild(settings, localHostLimiter())
    while (counts.all < 4) await sleep(5)
    child.disconnect()
    expect(await ended).toMatchObject({ error: expect.stringContaining('has gone') })
  })

  it.runIf(hasRedis)('keep to the limit in Redis, one killed among them', async () => {
    const { address, counts } = await countingServer()
    const settings: ChildSettings = {
      ...{ by: 'redis', address, pictures: 40, perHost: 3, timeoutMs: 5000, leaseMs: 1500 },
      ...(redis && { redis: redis.url }),
    }
    const children = [0, 1, 2].map((index) => startChild({ ...settings, index }))
    while (counts.all < 30) await sleep(5)
    children[2]?.child.kill('SIGKILL')
    const [first, second] = await Promise.all(children.map(({ ended }) => ended))
    expect([first, second]).toEqual([{ got: 40 }, { got: 40 }])
    expect(counts.most).toBe(3)
  })

  it('keep to the limit as slices, more of them than there are places', async () => {
    const { address, counts } = await countingServer()
    const settings: ChildSettings = {
      by: 'slice',
      address,
      pictures: 8,
      perHost: 2,
      timeoutMs: 1500,
      count: 3,
    }
    const children = [0, 1, 2].map((index) => startChild({ ...settings, index }))
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(Array(3).fill({ got: 8 }))
    expect(counts.most).toBeLessThanOrEqual(2)
  })
})

describe.runIf(hasRedis)('places in Redis', () => {
  it('are renewed while they are held, and free again when their process is gone', async () => {
    const prefix = `test-${prefixes++}`
    const [mine, theirs] = [1, 2].map(() => connect()) as [Redis, Redis]
    const first = redisHostLimiter(mine, { prefix, leaseMs: 600 })
    const second = redisHostLimiter(theirs, { prefix, leaseMs: 600 })
    const lease = await first.acquire('host:a', 1, options)
    let got = 0
    const start = performance.now()
    const next = second.acquire('host:a', 1, options).then(() => {
      got = performance.now() - start
    })
    await sleep(1500)
    expect(got).toBe(0)
    expect(lease.until).toBeGreaterThan(performance.now())
    // As if its process were gone: nothing is heard any more.
    mine.disconnect()
    await next
    expect(got).toBeGreaterThan(1500)
    expect(got).toBeLessThan(1500 + 600 + 400)
    expect(lease.until).toBeLessThan(performance.now() + 600)
    await expect(first.acquire('host:a', 1, options)).rejects.toThrow(HostLimitError)
  })

  it('are waited for while Redis is away', async () => {
    const prefix = `test-${prefixes++}`
    const limiter = redisHostLimiter(connect(), { prefix, leaseMs: 1000 })
    ;(await limiter.acquire('host:a', 1, options)).release()
    await redis?.kill()
    const waits = limiter.acquire('host:a', 1, options)
    await sleep(200)
    await redis?.start()
    ;(await waits).release()
    await limiter.close()
  })

  it('leave no key behind', async () => {
    const prefix = `test-${prefixes++}`
    const connection = connect()
    const limiter = redisHostLimiter(connection, { prefix, leaseMs: 300 })
    const leases = await Promise.all([1, 2].map(() => limiter.acquire('host:a', 2, options)))
    await limiter.delay('origin:a', 20)
    limiter.pause('host:a', 20)
    for (const lease of leases) lease.release()
    await limiter.close()
    await sleep(50)
    expect(await connection.keys(`${prefix}*`)).toEqual([])
  })
})
