import type { ByteBudget } from './byte-budget.js'
import { onAbort } from './fetch/on-abort.js'

/** Room for what must wait for its turn. */
export interface Room {
  /** Whether there is room for what an item is made into. There always is for the item whose turn it is. */
  readonly isFree: boolean
  /** Waits until there is. Rejects with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<void>
  /** Says how many bytes the item holds now, in the place of what was said before: where it is less, others may go on. */
  take(bytes: number): void
}

export interface InOrderOptions<T> {
  /** What items under way and results that wait may weigh, so that those behind a slow one go on. */
  readonly window: number
  /** 1 by default. */
  readonly weightOf?: (item: T) => number
  /** What they may hold together, with those of others: no item should begin to hold more where there is no room. */
  readonly budget: ByteBudget
}

/** Of thousands that wait for room few find it: who is woken in vain takes places of hosts, and waits again. */
const wokenAtOnce = 16

/** What the places of one list share. */
interface Order {
  readonly budget: ByteBudget
  /** Those who wait for room, by their places. */
  readonly waiting: Map<number, () => void>
  /** Whose result is given next. */
  turn: number
}

/** The room of one item. Thousands wait at once: what they share are methods, not functions of their own. */
class Place implements Room {
  readonly #order: Order
  readonly #index: number
  #held = 0

  constructor(order: Order, index: number) {
    this.#order = order
    this.#index = index
  }

  get isFree(): boolean {
    return this.#index === this.#order.turn || !this.#order.budget.isFull
  }

  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (this.isFree) return resolve()
      const { waiting } = this.#order
      const stay = onAbort(signal, () => {
        waiting.delete(this.#index)
        reject(signal?.reason)
      })
      waiting.set(this.#index, () => {
        waiting.delete(this.#index)
        stay()
        resolve()
      })
    })
  }

  take(bytes: number): void {
    const isLess = bytes < this.#held
    this.#hold(bytes)
    if (isLess) this.#order.budget.wake()
  }

  /** Gives up what it holds; nobody is told. */
  release(): void {
    this.#hold(0)
  }

  #hold(bytes: number): void {
    this.#order.budget.hold(bytes - this.#held)
    this.#held = bytes
  }
}

/** An item under way, or a result that waits for its turn. */
interface Begun<R> {
  readonly weight: number
  readonly place: Place
  readonly result: Promise<R>
}

const ignore = () => {}

/**
 * Maps items and yields the results in the order of the items, whatever the order in which they come. All
 * items of the window are begun at once: what limits their number is `work`.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  { window, weightOf = () => 1, budget }: InOrderOptions<T>,
  work: (item: T, room: Room) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Begun<R>[] = []
  const order: Order = { budget, waiting: new Map(), turn: 0 }
  let weight = 0
  let count = 0
  const wake = () => {
    order.waiting.get(order.turn)?.()
    let woken = 0
    for (const go of order.waiting.values()) {
      if (budget.isFull || woken++ === wokenAtOnce) return
      go()
    }
  }
  const begin = (item: T): Begun<R> => {
    const place = new Place(order, count++)
    const result = work(item, place)
    // Its failure is thrown when its turn comes; until then it must not count as unhandled.
    result.catch(ignore)
    return { weight: weightOf(item), place, result }
  }
  const next = async () => {
    const first = begun.shift() as Begun<R>
    const result = await first.result
    weight -= first.weight
    order.turn++
    first.place.release()
    budget.wake()
    return result
  }
  const leave = budget.onRoom(wake)
  try {
    for await (const item of items) {
      const one = begin(item)
      begun.push(one)
      weight += one.weight
      while (weight >= window && begun.length > 0) yield await next()
    }
    while (begun.length > 0) yield await next()
  } finally {
    leave()
    // Who reads no further takes nothing of these.
    for (const { place, result } of begun) {
      const release = () => place.release()
      result.then(release, release)
    }
  }
}
