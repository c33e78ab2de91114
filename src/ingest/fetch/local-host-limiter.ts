import { setTimeout as sleep } from 'node:timers/promises'
import { LruCache } from '../../base/lru-cache.js'
import type { HostLease, HostLimiter } from './host-limiter.js'
import { onAbort } from './on-abort.js'

interface Waiting {
  readonly limit: number
  readonly grant: () => void
}

/** Those who hold a key's places, and those who wait for one. */
interface Gate {
  held: number
  readonly waiting: Set<Waiting>
  timer?: NodeJS.Timeout
}

/** Hosts with a pause or a turn under way that are remembered. */
const maxRemembered = 50_000

/** The limits of one process. A key without work takes no memory. */
export function localHostLimiter(): HostLimiter {
  const gates = new Map<string, Gate>()
  const times = () =>
    new LruCache<string, number>({
      maxSize: maxRemembered,
      ttlOf: (until) => until - performance.now(),
      now: () => performance.now(),
    })
  const pausedUntil = times()
  const nextTurn = times()

  const gateOf = (key: string): Gate => {
    const known = gates.get(key)
    if (known) return known
    const gate: Gate = { held: 0, waiting: new Set() }
    gates.set(key, gate)
    return gate
  }
  /** Gives free places to those who wait, the first one first: none is passed by. */
  const serve = (key: string, gate: Gate) => {
    const pause = (pausedUntil.get(key) ?? 0) - performance.now()
    if (pause > 0 && gate.waiting.size > 0) {
      clearTimeout(gate.timer)
      gate.timer = setTimeout(() => serve(key, gate), Math.ceil(pause))
      return
    }
    for (const waiting of gate.waiting) {
      if (gate.held >= waiting.limit) break
      gate.waiting.delete(waiting)
      gate.held++
      waiting.grant()
    }
    if (gate.held > 0 || gate.waiting.size > 0) return
    clearTimeout(gate.timer)
    gates.delete(key)
  }

  return {
    acquire: (key, limit, { signal }) =>
      new Promise<HostLease>((resolve, reject) => {
        signal?.throwIfAborted()
        const gate = gateOf(key)
        let isHeld = true
        const release = () => {
          if (!isHeld) return
          isHeld = false
          gate.held--
          serve(key, gate)
        }
        const waiting = {
          limit,
          grant() {
            stay()
            resolve({ until: Number.POSITIVE_INFINITY, release })
          },
        }
        const stay = onAbort(signal, () => {
          gate.waiting.delete(waiting)
          serve(key, gate)
          reject(signal?.reason)
        })
        gate.waiting.add(waiting)
        serve(key, gate)
      }),
    async delay(key, ms, signal) {
      const now = performance.now()
      const at = Math.max(now, nextTurn.get(key) ?? 0)
      nextTurn.set(key, at + ms)
      if (at > now) await sleep(at - now, undefined, { signal })
    },
    pause(key, ms) {
      const until = performance.now() + ms
      if (until > (pausedUntil.get(key) ?? 0)) pausedUntil.set(key, until)
    },
  }
}
