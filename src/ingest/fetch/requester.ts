import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { type Dispatcher, request } from 'undici'
import { withoutCredentials } from '../../base/without-credentials.js'
import { addressOf, createAddressGuard, portOf } from './address-guard.js'
import { createCircuits, HostDown, Tripped } from './circuit.js'
import { type FetchConfig, userAgentOf } from './fetch-config.js'
import { guardedAgent } from './guarded-agent.js'
import { HostLimitError, type HostLimiter, type RequestRoom, withLeases } from './host-limiter.js'
import { onAbort } from './on-abort.js'
import { Reject } from './reject.js'
import { createResolver, firstAddress, isNoSuchHost, type Lookup } from './resolve-host.js'
import { pauseAfter, retryAfter, Transient } from './transient.js'

export type Response = Dispatcher.ResponseData

/** A request, with its redirects and retries. */
export interface RequestOptions<T> {
  /** The header Accept. */
  readonly accept: string
  readonly signal: AbortSignal | undefined
  /** Of each request; where there is none, none is begun. */
  readonly room?: RequestRoom | undefined
  /** Requests of the same word are judged apart from others of their host. */
  readonly apart?: string | undefined
  /** Whether it is part of another request, which is tried again, and by which its host is judged. */
  readonly isPart?: boolean
  /**
   * Runs before each request, those of redirects included; an address that the guard refuses does not come
   * here. Where it throws a Transient, the host has failed.
   */
  readonly before?: (url: URL) => Promise<void>
  /**
   * Reads the answer that is no redirect, while its request still counts among those under way.
   *
   * @param start the address that the redirects began at
   * @param end the address that answered
   */
  readonly read: (response: Response, start: URL, end: URL) => Promise<T>
}

type Read<T> = (response: Response) => Promise<T>

/** Sends requests to strangers' servers; holds connections and what it knows of hosts until it is closed. */
export interface Requester {
  /** Throws a Reject with the reason why there is no answer. */
  get<T>(address: string, options: RequestOptions<T>): Promise<T>
  /** The failure of an answer that may change; the host is left alone for as long as it asks for. */
  tryLater(place: string, response: Pick<Response, 'statusCode' | 'headers'>): Transient
  /** Look-ups of host names, and those that the name servers failed. */
  readonly dns: { readonly lookups: number; readonly failures: number }
  close(): Promise<void>
}

/** What a requester is built with in the place of the system's own. */
export interface RequesterParts {
  readonly lookup?: Lookup
  /** Certificates to trust, in PEM. */
  readonly ca?: string
  /** The limits by host, where others keep to them as well; those of this fetcher alone by default. */
  readonly limiter?: HostLimiter | undefined
}

/**
 * A requester that follows redirects, tries again what may pass, and keeps to the limits of the
 * configuration: requests at once to a host and to an address, time, and no private address, whatever name or
 * redirect leads there.
 */
export function createRequester(
  config: FetchConfig,
  { lookup, ca, limiter }: RequesterParts & { readonly limiter: HostLimiter },
): Requester {
  const guard = createAddressGuard(config)
  const resolver = createResolver(config.dns, guard.isNamed, lookup)
  const agent = guardedAgent(config, { guard, resolver, ca })
  const all = pLimit(config.concurrency)
  const circuits = createCircuits({
    failures: config.host_failures,
    probes: config.retries,
    maxPauseMs: config.max_pause_ms,
  })
  const userAgent = userAgentOf(config)

  /** One request; `read` runs while it still has its place among those under way. */
  async function send<T>(
    url: URL,
    { accept, signal, room }: Omit<RequestOptions<unknown>, 'read'>,
    read: Read<T>,
    mayBegin: () => boolean,
  ): Promise<T> {
    const address = await orAbort(addressFor(url), signal)
    const timed = () => {
      if (!mayBegin()) throw new Tripped()
      const headers = { 'user-agent': userAgent, 'accept-encoding': 'gzip, deflate, br', accept }
      return within(config.timeout_ms, url, signal, async (inner) =>
        read(await request(url, { dispatcher: agent, signal: inner, headers })),
      )
    }
    // The narrowest limit first: a place among all is not held by what waits for its host.
    const limits = [
      { key: hostKey(url), limit: config.per_host },
      { key: `address:${address}`, limit: config.per_address },
    ]
    return withLeases(limiter, limits, { holdMs: config.timeout_ms, signal, room }, all, timed)
  }

  /**
   * The address that a request will probably go to: the agent looks again, and checks what it connects to.
   */
  async function addressFor(url: URL): Promise<string> {
    const { hostname } = url
    const literal = addressOf(hostname)
    if (literal) return literal
    const addresses = await resolver.resolve(hostname)
    if (!guard.isAllowed(hostname, portOf(url))) guard.checkAddresses(hostname, addresses)
    return firstAddress(hostname, addresses)
  }

  /** A request that is judged as its host's success or failure, made where the host is not down. */
  function sendTo<T>(url: URL, options: Omit<RequestOptions<unknown>, 'read'>, read: Read<T>): Promise<T> {
    const { signal, isPart, before, apart } = options
    const asked = async (mayBegin: () => boolean) => {
      await before?.(url)
      try {
        return await send(url, options, read, mayBegin)
      } catch (error) {
        signal?.throwIfAborted()
        throw error instanceof HostLimitError || error instanceof Tripped ? error : asReject(error, url.href)
      }
    }
    return isPart ? asked(() => true) : circuits.run(url.hostname, signal, asked, apart)
  }

  /** Follows redirects until an answer is none; every hop is checked as the first was. */
  async function follow<T>(start: URL, options: RequestOptions<T>): Promise<T> {
    let url = start
    for (let hop = 0; hop <= config.max_redirects; hop++) {
      guard.checkUrl(url)
      const here = url
      const step = await sendTo(here, options, async (response) => {
        const { statusCode, headers, body } = response
        if (statusCode < 300 || statusCode >= 400 || typeof headers.location !== 'string')
          return { value: await options.read(response, start, here) }
        await body.dump()
        return { location: headers.location }
      })
      if ('value' in step) return step.value as T
      // Header bytes come as Latin-1; those of an address are UTF-8.
      url = parseUrl(Buffer.from(step.location, 'latin1').toString('utf8'), url)
    }
    throw new Reject('too_many_redirects', `${start.href} redirected more than ${config.max_redirects} times`)
  }

  return {
    dns: resolver.counts,
    async get(address, options) {
      const start = parseUrl(address)
      if (options.isPart) return follow(start, options)
      // Where the name servers fail everybody, each look-up more makes it worse.
      const isHopeless = ({ reason }: Reject) => reason === 'dns' && resolver.isFailing
      return retried(address, config, options.signal, isHopeless, () => follow(start, options))
    },
    tryLater(place, { statusCode, headers }) {
      const pause = retryAfter(headers['retry-after'])
      if (pause && pause <= config.max_pause_ms) limiter.pause(hostKey(new URL(place)), pause)
      return new Transient(`http_${statusCode}`, `${place} answered ${statusCode}`, pause)
    },
    async close() {
      resolver.close()
      await agent.destroy()
    },
  }
}

const hostKey = ({ hostname }: URL) => `host:${hostname}`

/**
 * Does work again after failures that may pass, as often and with such pauses as the configuration allows.
 */
async function retried<T>(
  place: string,
  { retries, max_pause_ms }: FetchConfig,
  signal: AbortSignal | undefined,
  isHopeless: (failure: Reject) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  let earlier: Reject | undefined
  for (let attempt = 0; ; attempt++) {
    try {
      signal?.throwIfAborted()
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof HostLimitError) throw error
      // Of one that was asked, what it answered says more than that it is down since.
      const failure = error instanceof HostDown ? (earlier ?? error) : asReject(error, place)
      if (error instanceof HostDown || isHopeless(failure)) throw failure
      earlier = failure
      const pause = failure instanceof Transient ? pauseAfter(failure, attempt, max_pause_ms) : undefined
      if (pause === undefined || attempt >= retries) throw failure
      await delay(pause, undefined, { signal })
    }
  }
}

/**
 * Runs work with a signal that aborts it with the outer one or after a time, of which a Transient then tells.
 */
async function within<T>(
  milliseconds: number,
  url: URL,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const abort = new AbortController()
  let timeout: Transient | undefined
  const timer = setTimeout(() => {
    timeout = new Transient('timeout', `${url.href} took over ${milliseconds} ms`)
    abort.abort(timeout)
  }, milliseconds)
  // Taken away with the request: AbortSignal.any would leave its own on the outer signal.
  const stay = onAbort(outer, () => abort.abort(outer?.reason))
  try {
    return await work(abort.signal)
  } catch (error) {
    if (timeout && abort.signal.reason === timeout && !(error instanceof Reject)) throw timeout
    throw error
  } finally {
    clearTimeout(timer)
    stay()
  }
}

/** Rejects when the signal aborts, though the work itself cannot be stopped and goes on. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const stay = onAbort(signal, () => reject(signal.reason))
    work.then(resolve, reject).finally(stay)
  })
}

function parseUrl(url: string, base?: URL): URL {
  if (URL.canParse(url, base?.href)) return new URL(url, base?.href)
  throw new Reject('bad_url', `${withoutCredentials(url)} is not an http or https address`)
}

/** Codes of OpenSSL and node that say that a connection broke within TLS, not that TLS cannot be had. */
const brokenTls = /UNEXPECTED_EOF|BAD_RECORD_MAC|ALERT_INTERNAL_ERROR/
/** Codes of certificates and handshakes that no other try changes. */
const finalTls =
  /^ERR_(TLS|SSL)|^(CERT|CRL)_|_CERT(_|$)|UNABLE_TO|SELF_SIGNED|HOSTNAME_MISMATCH|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH/

function asReject(error: unknown, place: string): Reject {
  if (error instanceof Reject) return error
  const { name, code = '', message, cause } = error as NodeJS.ErrnoException
  const detail = `${place}: ${message || (cause as Error | undefined)?.message || code}`
  if (isNoSuchHost(code)) return new Reject('no_such_host', detail)
  if ((error as NodeJS.ErrnoException).syscall?.startsWith('query') || code.startsWith('EAI_'))
    return new Transient('dns', detail)
  // Before TLS: a handshake may take too long as well.
  if (code.includes('TIMEOUT') || code === 'ETIMEDOUT') return new Transient('timeout', detail)
  if (finalTls.test(code) && !brokenTls.test(code)) return new Reject('tls', detail)
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return new Reject('bad_response', detail)
  return new Transient('connection', detail)
}
