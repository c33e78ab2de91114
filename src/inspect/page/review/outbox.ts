import type { RefusedEntry, ReviewAnswer, SentEntry } from '../../view/review-answers.js'

/** What is sent at once. */
const mostAtOnce = 100
/** Pauses between tries, in milliseconds; the last one again and again. */
const pauses = [300, 1000, 2000, 5000] as const

/** An entry with who says it. */
export interface Outgoing {
  readonly reviewer: string
  readonly entry: SentEntry
}

/** Where what is not sent yet outlives the page. */
export type Keep = Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'>

/**
 * What was said and is not on the server's disk yet. It is kept in the browser and sent until the server says that it
 * is written; entries have ids, so that one that is sent twice is written once.
 */
export class Outbox {
  #waiting: Outgoing[] = []
  #isSending = false
  #isClosed = false
  #tries = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Why the last try failed; undefined where it did not. */
  problem: string | undefined
  readonly refused: RefusedEntry[] = []

  /**
   * @param prefix of the review: what other tabs have left of it is sent as well
   * @param session of this tab
   */
  constructor(
    private readonly keep: Keep,
    private readonly prefix: string,
    private readonly session: string,
    private readonly send: (reviewer: string, entries: readonly SentEntry[]) => Promise<ReviewAnswer>,
    private readonly onChange: () => void,
  ) {
    this.#adopt()
    if (this.#waiting.length > 0) this.#next()
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Entries of a picture that are not written yet. */
  of(picture: string): readonly Outgoing[] {
    return this.#waiting.filter(({ entry }) => entry.picture === picture)
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing)
    this.#save()
    if (this.#timer === undefined) this.#next()
  }

  /** Tries now what waits. */
  retry(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#next()
  }

  close(): void {
    clearTimeout(this.#timer)
    // What is under way may still be answered: whoever opens the outbox next sends it again.
    this.#isClosed = true
  }

  async #next(): Promise<void> {
    const [first] = this.#waiting
    if (this.#isSending || this.#isClosed || !first) return
    this.#isSending = true
    const { reviewer } = first
    // Those of another reviewer are sent after these.
    const other = this.#waiting.findIndex((one) => one.reviewer !== reviewer)
    const part = this.#waiting.slice(0, Math.min(mostAtOnce, other === -1 ? mostAtOnce : other))
    try {
      const { written, refused } = await this.send(
        reviewer,
        part.map(({ entry }) => entry),
      )
      if (this.#isClosed) return
      const done = new Set([...written, ...refused].map(({ id }) => id))
      if (done.size === 0) throw new Error('The server has written nothing.')
      this.refused.push(...refused)
      this.#waiting = this.#waiting.filter(({ entry }) => !done.has(entry.id))
      this.#save()
      this.#tries = 0
      this.problem = undefined
      this.#isSending = false
      this.onChange()
      this.#next()
    } catch (error) {
      if (this.#isClosed) return
      this.problem = (error as Error).message
      const pause = pauses[Math.min(this.#tries++, pauses.length - 1)]
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#next()
      }, pause)
      this.#isSending = false
      this.onChange()
    }
  }

  /** What is kept of this review, by this tab and by others. */
  #adopt(): void {
    const known = new Set<string>()
    const names: string[] = []
    for (let at = 0; at < this.keep.length; at++) {
      const name = this.keep.key(at)
      if (name?.startsWith(this.prefix)) names.push(name)
    }
    for (const name of names.sort()) {
      const kept = readKept(this.keep.getItem(name))
      for (const one of kept) {
        if (known.has(one.entry.id)) continue
        known.add(one.entry.id)
        this.#waiting.push(one)
      }
      this.keep.removeItem(name)
    }
    this.#save()
  }

  #save(): void {
    const name = `${this.prefix}${this.session}`
    try {
      if (this.#waiting.length === 0) this.keep.removeItem(name)
      else this.keep.setItem(name, JSON.stringify(this.#waiting))
    } catch {
      // A browser that keeps nothing sends all the same.
    }
  }
}

function readKept(text: string | null): readonly Outgoing[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(value)) return []
    return value.filter((one) => typeof one?.reviewer === 'string' && typeof one?.entry?.id === 'string')
  } catch {
    return []
  }
}
