import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostLimitError, type HostLimiter } from './host-limiter.js'
import { onAbort } from './on-abort.js'

/** What is used of a connection of ioredis: its commands wait while Redis is away. */
export interface ScriptConnection {
  evalsha(sha1: string, numkeys: number, ...args: (string | number)[]): Promise<unknown>
  eval(script: string, numkeys: number, ...args: (string | number)[]): Promise<unknown>
}

export interface RedisHostLimiter extends HostLimiter {
  /** Gives back what is held. */
  close(): Promise<void>
}

export interface RedisLimitOptions {
  /** Before the keys; all who shall share limits have the same. */
  readonly prefix?: string
  /** For how long a place is a process's of which nothing is heard. */
  readonly leaseMs?: number
}

const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/**
 * Takes back places and gives others, in one step. Processes wait in a queue: each gets one place before the
 * next one, or its share where there are more. One that has not asked for a while is no longer in it.
 */
const serveScript = `${clock}
local held, queue, seen, paused = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local me, leaseMs, silentMs, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local returned = tonumber(ARGV[5])
for i = 6, 5 + returned do redis.call('ZREM', held, ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
for _, other in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - silentMs)) do
  redis.call('ZREM', queue, other)
  redis.call('ZREM', seen, other)
end
local wanted = #ARGV - 5 - returned
if wanted == 0 then
  redis.call('ZREM', queue, me)
  redis.call('ZREM', seen, me)
  return {0, 0}
end
redis.call('ZADD', seen, now, me)
redis.call('ZADD', queue, 'NX', now, me)
redis.call('PEXPIRE', seen, 2 * silentMs)
redis.call('PEXPIRE', queue, 2 * silentMs)
local pause = tonumber(redis.call('GET', paused) or '0') - now
if pause > 0 then return {0, pause} end
local free = limit - redis.call('ZCARD', held)
local waiting = redis.call('ZCARD', queue)
local most = math.max(math.floor(free / waiting), 1)
local granted = math.max(0, math.min(wanted, most, free - redis.call('ZRANK', queue, me)))
for i = 1, granted do redis.call('ZADD', held, now + leaseMs, ARGV[5 + returned + i]) end
if granted > 0 then redis.call('PEXPIRE', held, 2 * leaseMs) end
if granted == wanted then
  redis.call('ZREM', queue, me)
  redis.call('ZREM', seen, me)
elseif granted > 0 then
  local last = tonumber(redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2])
  redis.call('ZADD', queue, math.max(now, last + 0.001), me)
end
return {granted, 0}`

const renewScript = `${clock}
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[1])
return 0`

const turnScript = `${clock}
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local next = at + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.3f', next), 'PX', math.ceil(next - now))
return math.ceil(at - now)`

const pauseScript = `${clock}
local to = now + ARGV[1]
if to > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.3f', to), 'PX', math.ceil(ARGV[1]))
end
return 0`

/** A process in the queue that has not asked for so long has no place in it: it asks much more often. */
const silentMs = 5000
/** Waits between two questions for a place. */
const [leastPollMs, mostPollMs] = [10, 100]
/** Refusals in a row before Redis is given up: it may be loading its file, or out of memory. */
const [mostRefusals, refusalMs] = [30, 1000]

interface Waiting {
  readonly limit: number
  grant(id: string): void
  refuse(error: Error): void
}

/** What this process holds, wants and has to give back of one key. */
interface Gate {
  /** By id, when it was last known to be held. */
  readonly held: Map<string, number>
  readonly waiting: Set<Waiting>
  returned: string[]
  isAsking: boolean
  pollMs: number
  timer?: NodeJS.Timeout
}

/**
 * Limits that hold for all processes with the same Redis: places are leases there, renewed while they are
 * held, so that those of a process that is gone are free again after `leaseMs`. While Redis is away, nothing
 * new begins.
 *
 * @param redis is left open
 */
export function redisHostLimiter(redis: ScriptConnection, options: RedisLimitOptions = {}): RedisHostLimiter {
  const { prefix = 'groundmill-hosts', leaseMs = 30_000 } = options
  const me = randomBytes(9).toString('base64url')
  const gates = new Map<string, Gate>()
  let next = 0
  let isClosed = false
  // One slot of a cluster has all the keys of a script.
  const nameOf = (key: string, what: string) => `${prefix}:{${key}}:${what}`

  const gateOf = (key: string): Gate => {
    const known = gates.get(key)
    if (known) return known
    const gate: Gate = {
      held: new Map(),
      waiting: new Set(),
      returned: [],
      isAsking: false,
      pollMs: leastPollMs,
    }
    gates.set(key, gate)
    return gate
  }

  /** Asks once for what is wanted and gives back what is not: how long until it may be asked again. */
  const ask = async (key: string, gate: Gate): Promise<number> => {
    const [first] = gate.waiting
    const wanted: Waiting[] = []
    for (const waiting of gate.waiting) {
      if (waiting.limit !== first?.limit) break
      wanted.push(waiting)
    }
    const ids = wanted.map(() => `${me}.${next++}`)
    const { returned } = gate
    gate.returned = []
    const keys = ['held', 'queue', 'seen', 'pause'].map((what) => nameOf(key, what))
    const asked = performance.now()
    const answer = await script(redis, serveScript, keys, [
      me,
      leaseMs,
      silentMs,
      first?.limit ?? 0,
      returned.length,
      ...returned,
      ...ids,
    ])
    const [granted = 0, pause = 0] = answer as number[]
    for (const id of ids.slice(0, granted)) {
      gate.held.set(id, asked)
      // Some may have left meanwhile.
      const [waiting] = gate.waiting
      if (waiting && wanted.includes(waiting)) {
        gate.waiting.delete(waiting)
        waiting.grant(id)
      } else giveBack(gate, id)
    }
    gate.pollMs = granted > 0 ? leastPollMs : Math.min(1.5 * gate.pollMs, mostPollMs)
    return pause > 0 ? Math.min(pause, silentMs / 5) : gate.pollMs * (0.5 + Math.random())
  }
  const giveBack = (gate: Gate, id: string) => {
    if (gate.held.delete(id)) gate.returned.push(id)
  }

  const serve = async (key: string, gate: Gate) => {
    if (gate.isAsking) return
    gate.isAsking = true
    clearTimeout(gate.timer)
    delete gate.timer
    try {
      const waitMs = await ask(key, gate)
      gate.isAsking = false
      if (gate.returned.length > 0) await serve(key, gate)
      else if (gate.waiting.size > 0) gate.timer ??= setTimeout(() => void serve(key, gate), waitMs)
      else if (gate.held.size === 0) gates.delete(key)
    } catch (error) {
      gate.isAsking = false
      for (const waiting of gate.waiting)
        waiting.refuse(new HostLimitError(`Redis gives no places: ${(error as Error).message}`))
      gate.waiting.clear()
      if (gates.get(key) === gate) gates.delete(key)
    }
  }

  const renewing = setInterval(() => {
    for (const [key, { held }] of gates) {
      if (held.size === 0) continue
      const ids = [...held.keys()]
      const asked = performance.now()
      const renewed = script(redis, renewScript, [nameOf(key, 'held')], [leaseMs, ...ids])
      renewed.then(
        () => {
          for (const id of ids) if (held.has(id)) held.set(id, asked)
        },
        () => {},
      )
    }
  }, leaseMs / 3).unref()

  return {
    acquire: (key, limit, { signal }) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted()
        if (isClosed) throw new HostLimitError('the limits in Redis are closed')
        const gate = gateOf(key)
        const settled = (settle: () => void) => {
          stay()
          settle()
        }
        const waiting: Waiting = {
          limit,
          grant: (id) =>
            settled(() =>
              resolve({
                // One that could not be renewed may be another's by now.
                get until() {
                  return (gate.held.get(id) ?? Number.NEGATIVE_INFINITY) + leaseMs
                },
                release() {
                  if (!gate.held.has(id)) return
                  giveBack(gate, id)
                  void serve(key, gate)
                },
              }),
            ),
          refuse: (error) => settled(() => reject(error)),
        }
        const stay = onAbort(signal, () => {
          gate.waiting.delete(waiting)
          settled(() => reject(signal?.reason))
          void serve(key, gate)
        })
        gate.waiting.add(waiting)
        void serve(key, gate)
      }),
    async delay(key, ms, signal) {
      const waitMs = Number(await script(redis, turnScript, [nameOf(key, 'turn')], [ms]).catch(refused))
      if (waitMs > 0) await sleep(waitMs, undefined, { signal })
    },
    pause(key, ms) {
      // In the order of the connection, so before whatever is asked after it: not by hash, which may be unknown.
      redis.eval(pauseScript, 1, nameOf(key, 'pause'), ms).catch(() => {
        // Whoever asks next is told that Redis is away.
      })
    },
    async close() {
      isClosed = true
      clearInterval(renewing)
      const gone = new HostLimitError('the limits in Redis are closed')
      const work = [...gates].map(async ([key, gate]) => {
        for (const waiting of gate.waiting) waiting.refuse(gone)
        gate.waiting.clear()
        for (const id of [...gate.held.keys()]) giveBack(gate, id)
        await serve(key, gate)
      })
      await Promise.all(work)
    },
  }
}

const refused = (error: Error): never => {
  throw new HostLimitError(`Redis gives no places: ${error.message}`)
}

const hashes = new Map<string, string>()

/** Runs a script, which Redis knows by its hash after the first time; tries again where it has no time. */
async function script(
  redis: ScriptConnection,
  text: string,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const hash = hashes.get(text) ?? createHash('sha1').update(text).digest('hex')
  hashes.set(text, hash)
  for (let refusals = 1; ; refusals++) {
    try {
      return await redis.evalsha(hash, keys.length, ...keys, ...args)
    } catch (error) {
      const { message } = error as Error
      if (/^NOSCRIPT/.test(message)) return redis.eval(text, keys.length, ...keys, ...args)
      if (/closed/i.test(message) || refusals === mostRefusals) throw error
      await sleep(refusalMs)
    }
  }
}
