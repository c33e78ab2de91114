import { setMaxListeners } from 'node:events'
import type { CrawlHealth } from './crawl-health.js'
import { type FetchConfig, productToken } from './fetch-config.js'
import type { RequestRoom } from './host-limiter.js'
import { localHostLimiter } from './local-host-limiter.js'
import { robotsTagDirectives, type TdmReservation, tdmReservation } from './opt-out.js'
import { readBody } from './read-body.js'
import { Reject } from './reject.js'
import { createRequester, type Requester, type RequesterParts, type Response } from './requester.js'
import { createRobots, type RobotsAnswer } from './robots.js'
import { isTransientStatus } from './transient.js'

export interface Fetched {
  readonly bytes: Uint8Array
  /** What the server says of text and data mining, where it says so. */
  readonly tdm?: TdmReservation
}

/** Fetches pictures; holds connections and what it knows of hosts until it is closed. */
export interface Fetcher {
  /**
   * Throws a Reject with the reason why there is no picture.
   *
   * @param room no request is begun where there is none
   * @param apart fetches of the same word are judged apart from others of their host: they do not keep those
   *   from being made
   */
  fetch(url: string, signal?: AbortSignal, room?: RequestRoom, apart?: string): Promise<Fetched>
  /** Look-ups of host names, and those that the name servers failed. */
  readonly dns: { readonly lookups: number; readonly failures: number }
  /** Whether the crawl goes well; undefined where nobody asks. */
  readonly health?: CrawlHealth | undefined
  close(): Promise<void>
}

/** RFC 9309, 2.5: at least so much of a robots.txt is read. */
const robotsBytes = 512_000

/**
 * A fetcher of strangers' pictures: polite (robots.txt, X-Robots-Tag, Retry-After, few requests at once to a
 * host), guarded (no private address, whatever name or redirect leads there), and bounded in time and bytes.
 */
export function createFetcher(
  config: FetchConfig,
  parts: RequesterParts & Pick<Fetcher, 'health'> = {},
): Fetcher {
  const { limiter = localHostLimiter(), health } = parts
  const requester = createRequester(config, { ...parts, limiter })
  const robots = config.robots
    ? createRobots(config, limiter, (url, signal) => fetchRobots(requester, url, signal))
    : undefined
  const token = productToken(config)

  async function readImage(response: Response, start: URL): Promise<Fetched> {
    const { statusCode, headers, body } = response
    if (statusCode !== 200) {
      await body.dump()
      if (isTransientStatus(statusCode)) throw requester.tryLater(start.href, response)
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

  return {
    dns: requester.dns,
    health,
    async fetch(address, signal, room, apart) {
      // Each request under way listens: their number is bounded, and is no leak that node should warn of.
      if (signal) setMaxListeners(0, signal)
      return requester.get(address, {
        accept: 'image/*',
        signal,
        room,
        apart,
        before: async (url) => robots?.check(url, signal),
        read: readImage,
      })
    },
    close: () => requester.close(),
  }
}

/** What a server answers for its robots.txt: rules, or a status without them. */
function fetchRobots(requester: Requester, url: URL, signal?: AbortSignal): Promise<RobotsAnswer> {
  return requester.get(url.href, {
    accept: 'text/plain',
    signal,
    isPart: true,
    async read(response) {
      const { statusCode: status, headers, body } = response
      if (status === 200) {
        const bytes = await readBody(body, headers, url.href, robotsBytes, true)
        return { status, text: Buffer.from(bytes).toString('utf8') }
      }
      await body.dump()
      if (isTransientStatus(status)) throw requester.tryLater(url.href, response)
      return { status, text: '' }
    },
  })
}
