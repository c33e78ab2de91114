import type { ByteBudget } from './byte-budget.js'
import { onAbort } from './fetch/on-abort.js'

/** Room for what must wait for its turn. */
export interface Room {
  /** Whether there is room for what an item is made into. There always is for the item whose turn it is. */
  readonly isFree: boolean
  /** Waits until there is. Rejects with the signal's reason. */
  wait(signal: AbortSignal | undefined): Promise<void>
  /** Says how many bytes the item holds now, in the place of what was said before. */
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

interface Place<R> {
  readonly weight: number
  readonly result: Promise<R>
  release(): void
}

/**
 * Maps items and yields the results in the order of the items, whatever the order in which they come. All
 * items of the window are begun at once: what limits their number is `work`.
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  { window, weightOf = () => 1, budget }: InOrderOptions<T>,
  work: (item: T, room: Room) => Promise<R>,
): AsyncGenerator<R> {
  const places: Place<R>[] = []
  const waiting = new Map<number, () => void>()
  let weight = 0
  let turn = 0
  let count = 0
  const isFree = (index: number) => index === turn || !budget.isFull
  const wake = () => {
    waiting.get(turn)?.()
    let woken = 0
    for (const go of waiting.values()) {
      if (budget.isFull || woken++ === wokenAtOnce) return
      go()
    }
  }
  const begin = (item: T): Place<R> => {
    const index = count++
    let own = 0
    const hold = (bytes: number) => {
      budget.hold(bytes - own)
      own = bytes
    }
    const room: Room = {
      get isFree() {
        return isFree(index)
      },
      wait: (signal) =>
        new Promise((resolve, reject) => {
          signal?.throwIfAborted()
          if (isFree(index)) return resolve()
          const stay = onAbort(signal, () => {
            waiting.delete(index)
            reject(signal?.reason)
          })
          waiting.set(index, () => {
            waiting.delete(index)
            stay()
            resolve()
          })
        }),
      take: hold,
    }
    const result = work(item, room)
    // Its failure is thrown when its turn comes; until then it must not count as unhandled.
    result.catch(() => {})
    return { weight: weightOf(item), result, release: () => hold(0) }
  }
  const next = async () => {
    const place = places.shift() as Place<R>
    const result = await place.result
    place.release()
    weight -= place.weight
    turn++
    budget.wake()
    return result
  }
  const leave = budget.onRoom(wake)
  try {
    for await (const item of items) {
      const place = begin(item)
      places.push(place)
      weight += place.weight
      while (weight >= window && places.length > 0) yield await next()
    }
    while (places.length > 0) yield await next()
  } finally {
    leave()
    // Who reads no further takes nothing of these.
    for (const place of places) place.result.then(place.release, place.release)
  }
}
