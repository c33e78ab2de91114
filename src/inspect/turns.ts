import { setImmediate, setTimeout } from 'node:timers/promises'

/** Longest that a burst of work waits for requests: it goes on in the end, however many come. */
const mostWait = 250
/** So long after a request others are likely to follow it, such as the pictures of a page. */
const quietMs = 60
const lookMs = 10

/** Requests under way, for which work in the background makes room. */
export class Turns {
  #under = 0
  #last = Number.NEGATIVE_INFINITY

  begin(): void {
    this.#under++
  }

  end(): void {
    this.#under--
    this.#last = performance.now()
  }

  /** Resolves when no request is under way and none has just been, behind what the event loop has to do. */
  async idle(): Promise<void> {
    const late = performance.now() + mostWait
    await setImmediate()
    while (performance.now() < late && (this.#under > 0 || performance.now() - this.#last < quietMs)) {
      await setTimeout(lookMs)
    }
  }
}
