/** A map that keeps what was used last, up to a sum of sizes. */
export class Recent<K, V> {
  readonly #values = new Map<K, { readonly value: V; readonly size: number }>()
  #size = 0

  constructor(private readonly most: number) {}

  get(key: K): V | undefined {
    const known = this.#values.get(key)
    if (!known) return undefined
    this.#values.delete(key)
    this.#values.set(key, known)
    return known.value
  }

  set(key: K, value: V, size = 1): void {
    this.delete(key)
    this.#values.set(key, { value, size })
    this.#size += size
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.most || this.#values.size === 1) break
      this.delete(oldest)
    }
  }

  delete(key: K): void {
    const known = this.#values.get(key)
    if (!known) return
    this.#values.delete(key)
    this.#size -= known.size
  }
}
