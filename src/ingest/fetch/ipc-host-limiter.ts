import { type AcquireOptions, type HostLease, HostLimitError, type HostLimiter } from './host-limiter.js'
import { onAbort } from './on-abort.js'

/** One end of a channel between two processes: of a child as its parent has it, or of `process` in the child. */
export interface HostLimitChannel {
  on(event: 'message', listener: (message: unknown) => void): unknown
  on(event: 'disconnect', listener: () => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'disconnect', listener: () => void): unknown
  readonly connected: boolean
  send?(message: object, callback?: (error: Error | null) => void): unknown
}

type Ask =
  | {
      readonly ask: 'acquire'
      readonly id: number
      readonly key: string
      readonly limit: number
      readonly holdMs: number
    }
  | { readonly ask: 'delay'; readonly id: number; readonly key: string; readonly ms: number }
  | { readonly ask: 'pause'; readonly key: string; readonly ms: number }
  /** No longer wanted, or given back. */
  | { readonly ask: 'leave'; readonly id: number }

type Answer =
  /** `leftMs`: for how long the place is good, where it is not for good. */
  | { readonly answer: 'granted'; readonly id: number; readonly leftMs?: number | undefined }
  | { readonly answer: 'refused'; readonly id: number; readonly why: string }

/** Beside other messages of the same channel. */
interface Envelope<T> {
  readonly hostLimit: T
}
const isEnvelope = <T>(message: unknown): message is Envelope<T> =>
  typeof message === 'object' && message !== null && 'hostLimit' in message

/**
 * The limiter of a child process: its parent grants the places (`grantHostLimits`).
 *
 * @param parent `process` of the child
 */
export function parentHostLimiter(parent: HostLimitChannel): HostLimiter {
  const waiting = new Map<number, { grant(leftMs: number | undefined): void; refuse(error: Error): void }>()
  let next = 0
  const gone = () => new HostLimitError('the process that says what may be fetched has gone')
  const send = (hostLimit: Ask) => {
    if (parent.connected) parent.send?.({ hostLimit } satisfies Envelope<Ask>, () => {})
  }
  const hear = (message: unknown) => {
    if (!isEnvelope<Answer>(message)) return
    const { hostLimit } = message
    const ask = waiting.get(hostLimit.id)
    // Who no longer waits has left already.
    if (hostLimit.answer === 'granted') ask?.grant(hostLimit.leftMs)
    else ask?.refuse(new HostLimitError(hostLimit.why))
  }
  parent.on('message', hear)
  parent.on('disconnect', () => {
    for (const { refuse } of [...waiting.values()]) refuse(gone())
  })
  const ask = <T>(
    message: (id: number) => Ask,
    signal: AbortSignal | undefined,
    granted: (id: number, leftMs: number | undefined) => T,
  ) =>
    new Promise<T>((resolve, reject) => {
      signal?.throwIfAborted()
      if (!parent.connected) throw gone()
      const id = next++
      const settled = (settle: () => void) => {
        waiting.delete(id)
        stay()
        settle()
      }
      const stay = onAbort(signal, () =>
        settled(() => {
          send({ ask: 'leave', id })
          reject(signal?.reason)
        }),
      )
      waiting.set(id, {
        grant: (leftMs) => settled(() => resolve(granted(id, leftMs))),
        refuse: (error) => settled(() => reject(error)),
      })
      send(message(id))
    })
  return {
    acquire: (key, limit, { holdMs, signal }) =>
      ask<HostLease>(
        (id) => ({ ask: 'acquire', id, key, limit, holdMs }),
        signal,
        (id, leftMs = Number.POSITIVE_INFINITY) => {
          let isHeld = true
          return {
            until: performance.now() + leftMs,
            release() {
              if (isHeld) send({ ask: 'leave', id })
              isHeld = false
            },
          }
        },
      ),
    delay: (key, ms, signal) =>
      ask(
        (id) => ({ ask: 'delay', id, key, ms }),
        signal,
        () => undefined,
      ),
    pause: (key, ms) => send({ ask: 'pause', key, ms }),
  }
}

/**
 * Grants a child what its `parentHostLimiter` asks for, by the limiter of this process. What a child holds is
 * given back when it ends, however it does.
 *
 * @returns ends it, as the child's end does
 */
export function grantHostLimits(child: HostLimitChannel, limiter: HostLimiter): () => void {
  const asked = new Map<number, AbortController>()
  const held = new Map<number, HostLease>()
  const answer = (hostLimit: Answer) => {
    if (child.connected) child.send?.({ hostLimit } satisfies Envelope<Answer>, () => {})
  }
  const wait = async (id: number, work: (signal: AbortSignal) => Promise<HostLease | undefined>) => {
    const leaving = new AbortController()
    asked.set(id, leaving)
    try {
      const lease = await work(leaving.signal)
      asked.delete(id)
      if (lease && leaving.signal.aborted) return lease.release()
      if (lease) held.set(id, lease)
      const leftMs = lease && Number.isFinite(lease.until) ? lease.until - performance.now() : undefined
      answer({ answer: 'granted', id, leftMs })
    } catch (error) {
      asked.delete(id)
      if (!leaving.signal.aborted) answer({ answer: 'refused', id, why: (error as Error).message })
    }
  }
  const acquire = (id: number, key: string, limit: number, options: AcquireOptions) =>
    wait(id, (signal) => limiter.acquire(key, limit, { ...options, signal }))
  const hear = (message: unknown) => {
    if (!isEnvelope<Ask>(message)) return
    const { hostLimit } = message
    if (hostLimit.ask === 'acquire') {
      const { id, key, limit, holdMs } = hostLimit
      void acquire(id, key, limit, { holdMs })
    } else if (hostLimit.ask === 'delay') {
      const { id, key, ms } = hostLimit
      void wait(id, async (signal) => {
        await limiter.delay(key, ms, signal)
        return undefined
      })
    } else if (hostLimit.ask === 'pause') limiter.pause(hostLimit.key, hostLimit.ms)
    else {
      asked.get(hostLimit.id)?.abort()
      held.get(hostLimit.id)?.release()
      held.delete(hostLimit.id)
    }
  }
  const end = () => {
    child.off('message', hear)
    child.off('disconnect', end)
    for (const leaving of asked.values()) leaving.abort()
    for (const lease of held.values()) lease.release()
    held.clear()
  }
  child.on('message', hear)
  child.on('disconnect', end)
  if (!child.connected) end()
  return end
}
