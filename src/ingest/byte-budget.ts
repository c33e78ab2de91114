/** Bytes that several works may hold together. */
export interface ByteBudget {
  readonly isFull: boolean
  /** Adds to what is held, or takes from it. */
  hold(bytes: number): void
  /** Has something called whenever there may be room again. Returns what takes that back. */
  onRoom(callback: () => void): () => void
  /** Tells those who wait that there may be room. */
  wake(): void
}

export function byteBudget(most: number): ByteBudget {
  const waiting = new Set<() => void>()
  let held = 0
  return {
    get isFull() {
      return held >= most
    },
    hold(bytes) {
      held += bytes
    },
    onRoom(callback) {
      waiting.add(callback)
      return () => void waiting.delete(callback)
    },
    wake() {
      for (const callback of waiting) callback()
    },
  }
}
