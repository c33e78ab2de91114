/** Longest that work in the background waits for one request: it goes on in the end, however many come. */
const mostWait = 200

/** Requests under way, for which work in the background makes room. */
export class Turns {
  #under = 0
  #free: (() => void)[] = []

  begin(): void {
    this.#under++
  }

  end(): void {
    this.#under--
    if (this.#under > 0) return
    for (const free of this.#free) free()
    this.#free = []
  }

  /** Resolves when no request is under way, behind what the event loop has to do. */
  async idle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#under === 0) return
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, mostWait)
      this.#free.push(() => {
        clearTimeout(late)
        resolve()
      })
    })
  }
}
