/** Gives back what was taken. */
export type Release = () => void

/**
 * A semaphore of which each holder takes a weight, such as bytes of memory: all held at once are never above
 * the capacity. Who comes first is served first, so that a heavy one is not kept waiting by light ones. One
 * that is heavier than the capacity takes all of it, and is alone.
 */
export class WeightedSemaphore {
  #taken = 0
  readonly #waiting: { readonly weight: number; readonly resolve: (release: Release) => void }[] = []

  /** @param capacity is asked each time, and may change */
  constructor(private readonly capacity: () => number) {}

  /** Waits until there is room for so much. */
  acquire(weight: number): Promise<Release> {
    return new Promise((resolve) => {
      this.#waiting.push({ weight, resolve })
      this.#serve()
    })
  }

  #serve(): void {
    for (;;) {
      const first = this.#waiting[0]
      if (!first) return
      const weight = Math.min(first.weight, this.capacity())
      if (this.#taken > 0 && this.#taken + weight > this.capacity()) return
      this.#waiting.shift()
      this.#taken += weight
      first.resolve(this.#releaseOf(weight))
    }
  }

  #releaseOf(weight: number): Release {
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#taken -= weight
      this.#serve()
    }
  }
}
