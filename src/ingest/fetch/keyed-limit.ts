import pLimit, { type LimitFunction } from 'p-limit'

/** A semaphore for each key: runs work when fewer than the limit run under its key. */
export type KeyedLimit = <T>(key: string, work: () => Promise<T>) => Promise<T>

/** At most `concurrency` at once of each key. A key without work takes no memory. */
export function keyedLimit(concurrency: number): KeyedLimit {
  const limits = new Map<string, { readonly limit: LimitFunction; users: number }>()
  return async (key, work) => {
    let entry = limits.get(key)
    if (!entry) {
      entry = { limit: pLimit(concurrency), users: 0 }
      limits.set(key, entry)
    }
    entry.users++
    try {
      return await entry.limit(work)
    } finally {
      entry.users--
      if (entry.users === 0) limits.delete(key)
    }
  }
}
