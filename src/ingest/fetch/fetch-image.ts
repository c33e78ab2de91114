import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import { type Dispatcher, request } from 'undici'
import { LruCache } from '../../base/lru-cache.js'
import { addressOf, createAddressGuard, portOf } from './address-guard.js'
import { type FetchConfig, productToken, userAgentOf } from './fetch-config.js'
import { guardedAgent } from './guarded-agent.js'
import { keyedLimit } from './keyed-limit.js'
import { robotsTagDirectives, type TdmReservation, tdmReservation } from './opt-out.js'
import { readBody } from './read-body.js'
import { Reject } from './reject.js'
import { createResolver, isNoSuchHost, type Lookup } from './resolve-host.js'
import { createRobots, type RobotsAnswer } from './robots.js'
import { isTransientStatus, pauseAfter, retryAfter, Transient } from './transient.js'

export interface Fetched {
  readonly bytes: Uint8Array
  /** What the server says of text and data mining, where it says so. */
  readonly tdm?: TdmReservation
}

/** Fetches pictures; holds connections and what it knows of hosts until it is closed. */
export interface Fetcher {
  /** Throws a Reject with the reason why there is no picture. */
  fetch(url: string, signal?: AbortSignal): Promise<Fetched>
  /** Look-ups of host names, and those that the name servers failed. */
  readonly dns: { readonly lookups: number; readonly failures: number }
  close(): Promise<void>
}

/** What a fetcher is built with in the place of the system's own. */
export interface FetcherParts {
  readonly lookup?: Lookup
  /** Certificates to trust, in PEM. */
  readonly ca?: string
}

type Response = Dispatcher.ResponseData

/** RFC 9309, 2.5: at least so much of a robots.txt is read. */
const robotsBytes = 512_000
/** Hosts with a wait under way that are remembered. */
const heldHosts = 10_000

/**
 * A fetcher of strangers' pictures: polite (robots.txt, X-Robots-Tag, Retry-After, few requests at once to a host),
 * guarded (no private address, whatever name or redirect leads there), and bounded in time and bytes.
 */
export function createFetcher(config: FetchConfig, { lookup, ca }: FetcherParts = {}): Fetcher {
  const guard = createAddressGuard(config)
  const resolver = createResolver(config.dns, guard.isNamed, lookup)
  const agent = guardedAgent(config, { guard, resolver, ca })
  const perHost = keyedLimit(config.per_host)
  const perAddress = keyedLimit(config.per_address)
  const all = pLimit(config.concurrency)
  // Of each host the time until which it wants no requests.
  const held = new LruCache<string, number>({ maxSize: heldHosts, ttlOf: (until) => until - Date.now() })
  const robots = config.robots ? createRobots(config, askForRobots) : undefined
  const token = productToken(config)
  const headers = { 'user-agent': userAgentOf(config), 'accept-encoding': 'gzip, deflate, br' }

  /** One request; `take` reads the answer while the request still has its place among those under way. */
  async function visit<T>(
    url: URL,
    accept: string,
    signal: AbortSignal | undefined,
    take: (response: Response) => Promise<T>,
  ): Promise<T> {
    guard.checkUrl(url)
    const wait = (held.get(url.hostname) ?? 0) - Date.now()
    if (wait > 0) await delay(wait, undefined, { signal })
    const address = await orAbort(addressFor(url), signal)
    const timed = () =>
      within(config.timeout_ms, url, signal, async (inner) =>
        take(await request(url, { dispatcher: agent, signal: inner, headers: { ...headers, accept } })),
      )
    // The narrowest limit first: a place among all is not held by what waits for its host.
    return perHost(url.hostname, () => perAddress(address, () => all(timed)))
  }

  /** The address that a request will probably go to: the agent looks again, and checks what it connects to. */
  async function addressFor(url: URL): Promise<string> {
    const { hostname } = url
    const literal = addressOf(hostname)
    if (literal) return literal
    const addresses = await resolver.resolve(hostname)
    if (!guard.isAllowed(hostname, portOf(url))) guard.checkAddresses(hostname, addresses)
    return addresses[0]
  }

  /** Follows redirects until an answer is none; every hop is checked as the first was. */
  async function follow<T>(
    start: URL,
    accept: string,
    signal: AbortSignal | undefined,
    hops: { readonly before?: (url: URL) => Promise<void>; readonly take: (r: Response) => Promise<T> },
  ): Promise<T> {
    let url = start
    for (let hop = 0; hop <= config.max_redirects; hop++) {
      await hops.before?.(url)
      const step = await visit(url, accept, signal, async (response) => {
        const { statusCode, headers, body } = response
        if (statusCode < 300 || statusCode >= 400 || typeof headers.location !== 'string')
          return { value: await hops.take(response) }
        await body.dump()
        return { location: headers.location }
      })
      if ('value' in step) return step.value as T
      // Header bytes come as Latin-1; those of an address are UTF-8.
      url = parseUrl(Buffer.from(step.location, 'latin1').toString('utf8'), url)
    }
    throw new Reject('too_many_redirects', `${start.href} redirected more than ${config.max_redirects} times`)
  }

  async function askForRobots(url: URL, signal?: AbortSignal): Promise<RobotsAnswer> {
    return retried(url.href, signal, () =>
      follow(url, 'text/plain', signal, {
        async take({ statusCode: status, headers, body }) {
          if (status === 200) {
            const bytes = await readBody(body, headers, url.href, robotsBytes, true)
            return { status, text: Buffer.from(bytes).toString('utf8') }
          }
          await body.dump()
          if (isTransientStatus(status) && status < 500) throw tryLater(url.href, status, headers)
          return { status, text: '' }
        },
      }),
    )
  }

  const takeImage = (start: URL) => async (response: Response) => {
    const { statusCode, headers, body } = response
    if (statusCode !== 200) {
      await body.dump()
      if (isTransientStatus(statusCode)) throw tryLater(start.href, statusCode, headers)
      throw new Reject(`http_${statusCode}`, `${start.href} answered ${statusCode}`)
    }
    const directives = robotsTagDirectives(headers['x-robots-tag'], token)
    const refused = config.opt_out.find((directive) => directives.has(directive))
    const tdm = config.tdm === 'ignore' ? undefined : tdmReservation(headers)
    if (refused || (tdm?.reserved && config.tdm === 'refuse')) {
      body.on('error', () => {}).destroy()
      if (refused) throw new Reject(`opt_out_${refused}`, `${start.href}: X-Robots-Tag says ${refused}`)
      throw new Reject('tdm_reserved', `${start.href}: text and data mining is reserved`)
    }
    const bytes = await readBody(body, headers, start.href, config.max_bytes)
    return tdm ? { bytes, tdm } : { bytes }
  }

  /** A failure that says when to come again; until then the host is left alone. */
  function tryLater(place: string, status: number, headers: Response['headers']): Transient {
    const pause = retryAfter(headers['retry-after'])
    if (pause && pause <= config.max_pause_ms) held.set(new URL(place).hostname, Date.now() + pause)
    return new Transient(`http_${status}`, `${place} answered ${status}`, pause)
  }

  async function retried<T>(
    place: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        signal?.throwIfAborted()
        return await work()
      } catch (error) {
        signal?.throwIfAborted()
        const failure = asReject(error, place)
        const pause =
          failure instanceof Transient ? pauseAfter(failure, attempt, config.max_pause_ms) : undefined
        if (pause === undefined || attempt >= config.retries) throw failure
        await delay(pause, undefined, { signal })
      }
    }
  }

  return {
    dns: resolver.counts,
    async fetch(address, signal) {
      // Each request under way listens: their number is bounded, and is no leak that node should warn of.
      if (signal) setMaxListeners(0, signal)
      const start = parseUrl(address)
      return retried(address, signal, () =>
        follow<Fetched>(start, 'image/*', signal, {
          before: async (url) => {
            guard.checkUrl(url)
            await robots?.check(url, signal)
          },
          take: takeImage(start),
        }),
      )
    },
    async close() {
      resolver.close()
      await agent.destroy()
    },
  }
}

/** Runs work with a signal that aborts it with the outer one or after a time, of which a Transient then tells. */
async function within<T>(
  milliseconds: number,
  url: URL,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted()
  const abort = new AbortController()
  const stop = () => abort.abort(outer?.reason)
  const timeout = new Transient('timeout', `${url.href} took over ${milliseconds} ms`)
  const timer = setTimeout(() => abort.abort(timeout), milliseconds)
  // One listener a request, taken away with it: AbortSignal.any would leave its own on the outer signal.
  outer?.addEventListener('abort', stop)
  try {
    return await work(abort.signal)
  } catch (error) {
    if (abort.signal.reason === timeout && !(error instanceof Reject)) throw timeout
    throw error
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', stop)
  }
}

/** Work that cannot be stopped is not waited for. */
function orAbort<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function parseUrl(url: string, base?: URL): URL {
  if (URL.canParse(url, base?.href)) return new URL(url, base?.href)
  throw new Reject('bad_url', `${url} is not an http or https address`)
}

function asReject(error: unknown, place: string): Reject {
  if (error instanceof Reject) return error
  const { name, code = '', message, cause } = error as NodeJS.ErrnoException
  const detail = `${place}: ${message || (cause as Error | undefined)?.message || code}`
  if (isNoSuchHost(code)) return new Reject('no_such_host', detail)
  if ((error as NodeJS.ErrnoException).syscall?.startsWith('query') || code.startsWith('EAI_'))
    return new Transient('dns', detail)
  if (/^ERR_(TLS|SSL)|CERT|UNABLE_TO|SELF_SIGNED/.test(code)) return new Reject('tls', detail)
  if (name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return new Reject('bad_response', detail)
  if (code.includes('TIMEOUT') || code === 'ETIMEDOUT') return new Transient('timeout', detail)
  return new Transient('connection', detail)
}
