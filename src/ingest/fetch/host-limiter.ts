/** Places can no longer be had, whatever the host: nothing may be fetched, and nothing is wrong with a row. */
export class HostLimitError extends Error {}

/** A place among the requests that are under way to a host. */
export interface HostLease {
  /** A request may begin with it until then, by the clock of `performance.now`. */
  readonly until: number
  /** Gives the place back, once. */
  release(): void
}

export interface AcquireOptions {
  /** How long a request may take once it has begun, in milliseconds. */
  readonly holdMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Keeps a crawl polite: how many requests are under way to a host at once, and how they follow each other.
 * All that is said of a host holds for every fetcher that shares a limiter, those of other processes too where
 * it reaches them. Keys are names of hosts and addresses, as the fetcher gives them.
 */
export interface HostLimiter {
  /**
   * Waits for a place among at most `limit` of that key, and for the end of a pause. Who asked first gets it
   * first. Rejects with the signal's reason, or with a HostLimitError.
   */
  acquire(key: string, limit: number, options: AcquireOptions): Promise<HostLease>
  /** Waits for a turn, which come one by one, at least `ms` apart. */
  delay(key: string, ms: number, signal?: AbortSignal): Promise<void>
  /** Gives no place of that key for so long. */
  pause(key: string, ms: number): void
}

/** Room for what an answer brings. */
export interface RequestRoom {
  readonly isFree: boolean
  /** Rejects with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<void>
}

/**
 * Work with a place of each key, taken in their order; where one has run out before the work can begin, or
 * there is no room, all of them are taken again. Who waits for room holds no place: another may need it to make
 * room.
 *
 * @param begin calls what it is given when the work may begin: a place must still be good then
 */
export async function withLeases<T>(
  limiter: HostLimiter,
  keys: readonly { readonly key: string; readonly limit: number }[],
  options: AcquireOptions & { readonly room?: RequestRoom | undefined },
  begin: <U>(work: () => Promise<U>) => Promise<U>,
  work: () => Promise<T>,
): Promise<T> {
  const { signal, room } = options
  for (;;) {
    await room?.wait(signal)
    const leases: HostLease[] = []
    try {
      for (const { key, limit } of keys) leases.push(await limiter.acquire(key, limit, options))
      const done = await begin(async () => {
        signal?.throwIfAborted()
        if (room && !room.isFree) return undefined
        const now = performance.now()
        return leases.every(({ until }) => now < until) ? { value: await work() } : undefined
      })
      if (done) return done.value
    } finally {
      for (const lease of leases.reverse()) lease.release()
    }
  }
}
