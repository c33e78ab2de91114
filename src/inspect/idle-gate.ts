import { setImmediate, setTimeout } from 'node:timers/promises'

/** Work waits no longer than this: it goes on in the end, however many requests come. */
const mostWaitMs = 250
/** So long after a request others are likely to follow it, such as those for the pictures of a page. */
const quietMs = 60
const pollMs = 10

/** Holds back work in the background while requests are under way, and shortly after. */
export class IdleGate {
  #requests = 0
  #lastEnd = Number.NEGATIVE_INFINITY

  /** A request begins. */
  begin(): void {
    this.#requests++
  }

  /** It has been answered. */
  end(): void {
    this.#requests--
    this.#lastEnd = performance.now()
  }

  /** Resolves when no request is under way or has just been, and the event loop has done what was waiting. */
  async idle(): Promise<void> {
    const latest = performance.now() + mostWaitMs
    await setImmediate()
    while (performance.now() < latest && this.#isBusy()) await setTimeout(pollMs)
  }

  #isBusy(): boolean {
    return this.#requests > 0 || performance.now() - this.#lastEnd < quietMs
  }
}
