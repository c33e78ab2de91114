import { LruCache } from '../../base/lru-cache.js'
import { onAbort } from './on-abort.js'
import { Reject } from './reject.js'
import { Transient } from './transient.js'

/** No request was made, since the host does not answer others. */
export class HostDown extends Reject {
  constructor(host: string, why: string) {
    super('host_down', `${host} was not asked: ${why}`)
  }
}

/** Its host was tripped while a request waited. */
export class Tripped extends Error {}

export type GuardedRequest<T> = (mayBegin: () => boolean) => Promise<T>

export interface CircuitOptions {
  /** A host is tripped by so many failures in a row. */
  readonly failures: number
  /** How often a tripped host is tried, while requests to it wait, before it counts as down. */
  readonly probes: number
  /** Who is tripped and asks to be left alone for longer, in milliseconds, is down until then. */
  readonly maxPauseMs: number
  /** The clock, in milliseconds. */
  readonly now?: () => number
}

/**
 * Circuit breakers, one a host (Nygard, "Release It!", 2007). A host that fails so many times in a row is
 * tripped: requests to it wait, one of them tries it after a pause, and the next after a longer one. Where all
 * tries fail it is down: requests to it fail at once, and one is let through now and then. A success closes
 * the circuit. Hosts that do not fail take no memory.
 */
export interface Circuits {
  /**
   * Runs a request to a host, which may wait for its turn before it.
   *
   * @param request asks `mayBegin` when it has waited for something else, and throws a `Tripped` where the host
   *   has been tripped meanwhile: then it is run again in its turn
   * @param apart requests of the same word have a circuit of the host of their own
   * @throws HostDown where no request was made; what the request throws, of which a Transient counts as a
   *   failure of the host and any other error says nothing of it
   */
  run<T>(
    host: string,
    signal: AbortSignal | undefined,
    request: GuardedRequest<T>,
    apart?: string,
  ): Promise<T>
}

interface Circuit {
  /** In a row, since the last success. */
  failures: number
  /** Successes in a row since it was closed. */
  successes: number
  /** How often it was tried, and tripped again, since it last was well. */
  probes: number
  state: 'closed' | 'open' | 'down'
  /** When it is tried next, while it is not closed. */
  retryAt: number
  isProbing: boolean
  why: string
  readonly waiting: Set<() => void>
  timer?: NodeJS.Timeout
}

/** Hosts in trouble that are remembered. */
const maxCircuits = 50_000
/** Before the first try of a tripped host; doubled with each further one. */
const firstPauseMs = 1000
/** Between two tries of a host that is down. */
const downMs = 30_000
/** The longest that a host is left alone, though it asks for more. */
const maxDownMs = 3_600_000
/** Many answer so for single pictures that they have lost: what it counts as, where another failure is one. */
const internalErrorWeight = 0.25

export function createCircuits(options: CircuitOptions): Circuits {
  const { failures, probes, maxPauseMs, now = () => performance.now() } = options
  const circuits = new LruCache<string, Circuit>({ maxSize: maxCircuits })

  const circuitOf = (name: string): Circuit => {
    const known = circuits.get(name)
    if (known) return known
    const circuit: Circuit = {
      ...{ failures: 0, successes: 0, probes: 0, state: 'closed', retryAt: 0, isProbing: false, why: '' },
      waiting: new Set(),
    }
    circuits.set(name, circuit)
    return circuit
  }
  const wakeAll = (circuit: Circuit) => {
    clearTimeout(circuit.timer)
    const waiting = [...circuit.waiting]
    circuit.waiting.clear()
    for (const wake of waiting) wake()
  }
  /** Has one of those who wait look again when the host may be tried. */
  const wakeInTime = (circuit: Circuit) => {
    clearTimeout(circuit.timer)
    if (circuit.waiting.size === 0) return
    const wakeOne = () => {
      const [first] = circuit.waiting
      if (!first) return
      circuit.waiting.delete(first)
      first()
    }
    circuit.timer = setTimeout(wakeOne, Math.max(0, Math.ceil(circuit.retryAt - now())))
  }
  const open = (circuit: Circuit, why: string, forMs?: number) => {
    circuit.failures = 0
    circuit.successes = 0
    circuit.why = why
    if (forMs !== undefined || circuit.probes >= probes) {
      circuit.state = 'down'
      circuit.retryAt = now() + Math.min(forMs ?? downMs, maxDownMs)
      wakeAll(circuit)
    } else {
      circuit.state = 'open'
      circuit.retryAt = now() + firstPauseMs * 2 ** circuit.probes
      circuit.probes++
      wakeInTime(circuit)
    }
  }

  const wait = (circuit: Circuit, signal: AbortSignal | undefined) =>
    new Promise<void>((resolve, reject) => {
      signal?.throwIfAborted()
      const wake = () => {
        stay()
        resolve()
      }
      const stay = onAbort(signal, () => {
        circuit.waiting.delete(wake)
        reject(signal?.reason)
      })
      circuit.waiting.add(wake)
      if (!circuit.isProbing) wakeInTime(circuit)
    })

  /** Returns whether the request is the one that tries a host which has been tripped. */
  async function enter(circuit: Circuit, host: string, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      if (circuit.state === 'closed') return false
      if (!circuit.isProbing && now() >= circuit.retryAt) {
        circuit.isProbing = true
        return true
      }
      if (circuit.state === 'down') throw new HostDown(host, circuit.why)
      await wait(circuit, signal)
    }
  }

  function succeeded(circuit: Circuit, name: string) {
    circuit.failures = 0
    if (circuit.state !== 'closed') {
      circuit.state = 'closed'
      wakeAll(circuit)
    }
    // One that fails again at once is not tried as patiently as the first time.
    if (++circuit.successes >= failures && circuit.waiting.size === 0) circuits.delete(name)
  }

  function failed(circuit: Circuit, failure: Transient, isProbe: boolean) {
    const why = `the last failure was ${failure.reason}: ${failure.message}`
    const { retryAfter = 0 } = failure
    const forMs = retryAfter > maxPauseMs ? retryAfter : undefined
    if (isProbe) return open(circuit, why, forMs)
    if (circuit.state !== 'closed') return
    circuit.failures += failure.reason === 'http_500' ? internalErrorWeight : 1
    circuit.successes = 0
    if (circuit.failures >= failures) open(circuit, why, forMs)
  }

  return {
    async run(host, signal, request, apart) {
      const name = apart === undefined ? host : `${host} ${apart}`
      for (;;) {
        const known = circuits.get(name)
        const isProbe = known !== undefined && (await enter(known, host, signal))
        const mayBegin = () => isProbe || (circuits.peek(name)?.state ?? 'closed') === 'closed'
        try {
          const answer = await request(mayBegin)
          const circuit = circuits.get(name)
          if (circuit) succeeded(circuit, name)
          return answer
        } catch (error) {
          if (error instanceof Tripped) continue
          if (error instanceof Transient) failed(circuitOf(name), error, isProbe)
          throw error
        } finally {
          if (isProbe && known) {
            known.isProbing = false
            // Where the try said nothing of the host, the next one tries.
            if (known.state === 'open') wakeInTime(known)
          }
        }
      }
    },
  }
}
