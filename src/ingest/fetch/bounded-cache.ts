/** Values that live for a time, the least recently used of which make room for others. */
export interface BoundedCache<V> {
  get(key: string): V | undefined
  /** @param weight what the value takes of the cache's room */
  set(key: string, value: V, milliseconds: number, weight?: number): void
  readonly size: number
}

/** @param room the sum of weights that the cache holds at most */
export function boundedCache<V>(room: number, now: () => number = Date.now): BoundedCache<V> {
  const entries = new Map<string, { readonly value: V; readonly until: number; readonly weight: number }>()
  let taken = 0
  const drop = (key: string) => {
    taken -= entries.get(key)?.weight ?? 0
    entries.delete(key)
  }
  return {
    get(key) {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (entry.until <= now()) {
        drop(key)
        return undefined
      }
      // A map keeps the order of insertion: the first is the one that was not asked for the longest.
      entries.delete(key)
      entries.set(key, entry)
      return entry.value
    },
    set(key, value, milliseconds, weight = 1) {
      drop(key)
      entries.set(key, { value, until: now() + milliseconds, weight })
      taken += weight
      for (const oldest of entries.keys()) {
        if (taken <= room || oldest === key) break
        drop(oldest)
      }
    },
    get size() {
      return entries.size
    },
  }
}
