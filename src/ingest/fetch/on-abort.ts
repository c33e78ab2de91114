/** Those who wait with a signal, and what the signal itself calls. */
interface Waiting {
  readonly callbacks: Set<() => void>
  readonly abort: () => void
}

const waitingFor = new WeakMap<AbortSignal, Waiting>()

/**
 * Has something called once when a signal aborts, as a listener would be. Thousands of rows of a crawl wait with one
 * signal, whose own listeners are looked through one by one whenever one is added: it has a single one of them all.
 *
 * @returns takes it back
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (!signal) return () => {}
  const waiting = waitingFor.get(signal) ?? listen(signal)
  const { callbacks, abort } = waiting
  // A function of its own: who asks twice with the same is called twice.
  const own = () => callback()
  callbacks.add(own)
  return () => {
    callbacks.delete(own)
    if (callbacks.size > 0 || waitingFor.get(signal) !== waiting) return
    waitingFor.delete(signal)
    signal.removeEventListener('abort', abort)
  }
}

function listen(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>()
  const abort = () => {
    waitingFor.delete(signal)
    for (const callback of callbacks) callback()
  }
  const waiting = { callbacks, abort }
  waitingFor.set(signal, waiting)
  signal.addEventListener('abort', abort, { once: true })
  return waiting
}
