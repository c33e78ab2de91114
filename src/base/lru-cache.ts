export interface LruCacheOptions<K, V> {
  /** What the sizes of all entries may add up to. */
  readonly maxSize: number
  /** The size of an entry, 1 by default: then `maxSize` is a number of entries. */
  readonly sizeOf?: (value: V, key: K) => number
  /** Milliseconds for which an entry may be given out; without it there is no such limit. */
  readonly ttlOf?: (value: V, key: K) => number
  /** The clock of `ttlOf`, in milliseconds. */
  readonly now?: () => number
  /** Is told of each value that the cache lets go of, whatever the reason, for values that hold resources. */
  readonly onEvict?: (value: V, key: K) => void
}

interface Entry<V> {
  readonly value: V
  readonly size: number
  readonly expires: number
}

/**
 * A cache that keeps what was used last (least recently used, LRU). When it is full, the entries that were
 * not used for the longest time go. A single entry larger than the whole cache stays until the next one
 * comes.
 */
export class LruCache<K, V> {
  /**
   * In the order of their use: a map keeps the order of insertion, so the least recently used one comes
   * first.
   */
  readonly #entries = new Map<K, Entry<V>>()
  readonly #loads = new Map<K, Promise<V>>()
  readonly #options: LruCacheOptions<K, V>
  readonly #now: () => number
  #size = 0

  constructor(options: LruCacheOptions<K, V>) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Number of entries, those whose time is over among them until they are asked for. */
  get count(): number {
    return this.#entries.size
  }

  /** What the sizes of the entries add up to. */
  get size(): number {
    return this.#size
  }

  /** The value, which counts as used; undefined where there is none or its time is over. */
  get(key: K): V | undefined {
    return this.#use(key)?.value
  }

  /** The value as `get` gives it, but looking at it is no use. */
  peek(key: K): V | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.expires > this.#now() ? entry.value : undefined
  }

  set(key: K, value: V): void {
    const { sizeOf, ttlOf, maxSize } = this.#options
    this.delete(key)
    const size = sizeOf?.(value, key) ?? 1
    const expires = ttlOf ? this.#now() + ttlOf(value, key) : Number.POSITIVE_INFINITY
    this.#entries.set(key, { value, size, expires })
    this.#size += size
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= maxSize || this.#entries.size === 1) break
      this.#remove(oldest)
    }
  }

  /**
   * The value, loaded where there is none. Whoever asks while it is loaded waits for the same load. A load
   * that fails is not kept: the next one who asks loads again.
   *
   * @throws what `load` throws
   */
  load(key: K, load: () => Promise<V>): Promise<V> {
    const known = this.#use(key)
    if (known) return Promise.resolve(known.value)
    const running = this.#loads.get(key)
    if (running) return running
    const started = load().then(
      (value) => {
        // What was deleted or set meanwhile is newer than this.
        if (this.#loads.get(key) === started) this.set(key, value)
        return value
      },
      (error: unknown) => {
        if (this.#loads.get(key) === started) this.#loads.delete(key)
        throw error
      },
    )
    this.#loads.set(key, started)
    return started
  }

  delete(key: K): void {
    this.#loads.delete(key)
    this.#remove(key)
  }

  clear(): void {
    this.#loads.clear()
    for (const key of [...this.#entries.keys()]) this.#remove(key)
  }

  /** Keys and values, the least recently used first. Going through them is no use. */
  *entries(): Generator<readonly [K, V]> {
    for (const [key, { value }] of this.#entries) yield [key, value]
  }

  #use(key: K): Entry<V> | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    if (entry.expires <= this.#now()) {
      this.#remove(key)
      return undefined
    }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry
  }

  #remove(key: K): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#size -= entry.size
    this.#options.onEvict?.(entry.value, key)
  }
}
