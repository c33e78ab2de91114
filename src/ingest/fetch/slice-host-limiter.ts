import { setTimeout as sleep } from 'node:timers/promises'
import { hashBytes } from '../../base/hash.js'
import type { HostLimiter } from './host-limiter.js'
import { localHostLimiter } from './local-host-limiter.js'

export interface SliceOptions {
  /** Which of `count` slices this is, from 0. */
  readonly index: number
  readonly count: number
  /** What the clocks of two machines may differ by, in milliseconds. */
  readonly skewMs?: number
  /** The clock that all slices share, in milliseconds. */
  readonly now?: () => number
}

/** The longest that a timer of node may wait. */
const longestMs = 2 ** 31 - 1

/**
 * The limiter of one slice of several that know nothing of each other. A limit is divided among them; where
 * there are more slices than places, time is: of slots one after the other, each belongs to as many slices as
 * there are places, and a request begins only where it must end within its slot. So the slices together never
 * go beyond the limit, whether all of them run or one. Turns come in slots too, of which every slice has its
 * own. A pause that a host asks for is known to the slice that it told.
 */
export function sliceHostLimiter(options: SliceOptions): HostLimiter {
  const { index, count, skewMs = 1000, now = Date.now } = options
  const local = localHostLimiter()
  if (count === 1) return local

  /** Where in the round of slots a key begins, so that not all hosts are for the same slices at one time. */
  const offsetOf = (key: string) => Number.parseInt(hashBytes(key).slice(0, 8), 16)
  /** Milliseconds to wait until it is this slice's time, and for how long a request may begin from then on. */
  const slotOf = (key: string, places: number, holdMs: number) => {
    const slotMs = 2 * holdMs + skewMs
    const time = now()
    const offset = offsetOf(key)
    for (let slot = Math.floor(time / slotMs); ; slot++) {
      // Each slot belongs to the next slices in their round: nobody waits for longer than a round takes.
      const behind = (((index - offset - slot * places) % count) + count) % count
      const begin = slot * slotMs + skewMs
      const end = (slot + 1) * slotMs - holdMs
      if (behind < places && time < end) return { waitMs: Math.max(0, begin - time), end }
    }
  }
  const wait = async (ms: number, signal: AbortSignal | undefined) => {
    if (ms > 0) await sleep(Math.min(Math.ceil(ms), longestMs), undefined, { signal })
  }

  return {
    async acquire(key, limit, { holdMs, signal }) {
      // The places that cannot be divided go to others with every host.
      const extra = (index + offsetOf(key)) % count < limit % count ? 1 : 0
      if (limit >= count) return local.acquire(key, Math.floor(limit / count) + extra, { holdMs, signal })
      const lease = await local.acquire(key, 1, { holdMs, signal })
      try {
        for (;;) {
          const { waitMs, end } = slotOf(key, limit, holdMs)
          if (waitMs === 0) return { ...lease, until: performance.now() + end - now() }
          await wait(waitMs, signal)
        }
      } catch (error) {
        lease.release()
        throw error
      }
    },
    async delay(key, ms, signal) {
      await local.delay(key, ms * count, signal)
      // At the beginning of a slot of its own: the turns of the other slices are at least `ms` away.
      const time = now()
      const slot = Math.ceil(time / ms)
      const behind = (((offsetOf(key) + index - slot) % count) + count) % count
      await wait((slot + behind) * ms - time, signal)
    },
    pause: (key, ms) => local.pause(key, ms),
  }
}
