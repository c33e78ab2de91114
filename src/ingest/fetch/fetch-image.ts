import { setMaxListeners } from 'node:events'
import { decodeText } from '../../base/decode-text.js'
import type { CrawlHealth } from './crawl-health.js'
import { type FetchConfig, productToken } from './fetch-config.js'
import type { RequestRoom } from './host-limiter.js'
import { createLicenses, linkedLicenses, wantsLicense } from './licenses.js'
import { localHostLimiter } from './local-host-limiter.js'
import { robotsTagDirectives, type TdmReservation, tdmReservation } from './opt-out.js'
import { readBody } from './read-body.js'
import { Reject } from './reject.js'
import { createRequester, type Requester, type RequesterParts, type Response } from './requester.js'
import { createRobots, type RobotsAnswer } from './robots.js'
import { createTdmFiles } from './tdm-files.js'
import { isTransientStatus } from './transient.js'
import { deniedSignals, disallowedUses, trainingUses, usageReason } from './usage-preferences.js'

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

/** RFC 9309, 2.5: at least so much of a robots.txt is read; so much of a licence, and of a tdmrep.json, too. */
const textBytes = 512_000

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
    ? createRobots(config, limiter, (url, signal) => fetchText(requester, url, 'text/plain', signal))
    : undefined
  const licenses =
    config.license === 'ignore'
      ? undefined
      : createLicenses((url, signal) => fetchText(requester, url, 'application/rsl+xml, */*', signal))
  // One more request a server: only where something hangs on it.
  const tdmFiles =
    config.tdm === 'refuse'
      ? createTdmFiles((url, signal) => fetchText(requester, url, 'application/json', signal))
      : undefined
  const token = productToken(config)

  /** Why a picture may not be taken, by the headers of its answer. */
  function refusalIn(headers: Response['headers'], tdm: TdmReservation | undefined) {
    const directives = robotsTagDirectives(headers['x-robots-tag'], token)
    const refused = config.opt_out.find((directive) => directives.has(directive))
    if (refused) return { reason: `opt_out_${refused}`, detail: `X-Robots-Tag says ${refused}` }
    const { content_usage: uses = trainingUses } = config
    for (const [name, read] of usageHeaders) {
      const disallowed = read([headers[name] ?? []].flat().join(', '))
      const use = uses.find((one) => disallowed.has(one))
      if (use) return { reason: usageReason(use), detail: `the header ${name} disallows ${use}` }
    }
    if (tdm?.reserved && config.tdm === 'refuse')
      return { reason: 'tdm_reserved', detail: 'text and data mining is reserved' }
    return undefined
  }

  async function readImage(response: Response, start: URL, end: URL): Promise<Answer> {
    const { statusCode, headers, body } = response
    if (statusCode !== 200) {
      await body.dump()
      if (isTransientStatus(statusCode)) throw requester.tryLater(start.href, response)
      throw new Reject(statusReason(response), `${start.href} answered ${statusCode}`)
    }
    // What a header says counts for more than the file does.
    const tdm = config.tdm === 'ignore' ? undefined : (tdmReservation(headers) ?? tdmFiles?.reservation(end))
    const refusal = refusalIn(headers, tdm)
    if (refusal) {
      body.on('error', () => {}).destroy()
      throw new Reject(refusal.reason, `${start.href}: ${refusal.detail}`)
    }
    const bytes = await readBody(body, headers, start.href, config.max_bytes)
    return { fetched: tdm ? { bytes, tdm } : { bytes }, linked: linkedLicenses(headers.link), end }
  }

  return {
    dns: requester.dns,
    health,
    async fetch(address, signal, room, apart) {
      // Each request under way listens: their number is bounded, and is no leak that node should warn of.
      if (signal) setMaxListeners(0, signal)
      const { fetched, linked, end } = await requester.get(address, {
        accept: 'image/*',
        signal,
        room,
        apart,
        async before(url) {
          for (const license of (await robots?.check(url, signal)) ?? [])
            await licenses?.check(license, url, url.origin, signal)
          await tdmFiles?.read(url, signal)
        },
        read: readImage,
      })
      // Not while the request has its place at the host, which may be the licence's too.
      for (const license of linked) await licenses?.check(license, end, end.href, signal)
      return fetched
    },
    close: () => requester.close(),
  }
}

/** A picture, and the licences that its headers name. */
interface Answer {
  readonly fetched: Fetched
  readonly linked: readonly string[]
  /** The address that answered, after redirects: its licences are of what lies there. */
  readonly end: URL
}

/** Headers that say what may be done with a picture, and how their values are read. */
const usageHeaders: readonly (readonly [string, (value: string) => ReadonlySet<string>])[] = [
  ['content-usage', disallowedUses],
  ['content-signal', deniedSignals],
]

/** Why there is no picture in an answer; who wants a licence or money says it with the status. */
function statusReason({ statusCode, headers }: Response): string {
  if (statusCode === 402) return 'payment_required'
  return statusCode === 401 && wantsLicense(headers['www-authenticate'])
    ? 'license_required'
    : `http_${statusCode}`
}

/** What a server answers for its robots.txt, or a licence: a text, or a status without one. */
function fetchText(
  requester: Requester,
  url: URL,
  accept: string,
  signal?: AbortSignal,
): Promise<RobotsAnswer> {
  return requester.get(url.href, {
    accept,
    signal,
    isPart: true,
    async read(response) {
      const { statusCode: status, headers, body } = response
      if (status === 200) {
        const bytes = await readBody(body, headers, url.href, textBytes, true)
        // XML may be UTF-16; what is no text at all is read as far as it goes.
        return { status, text: decodeText(bytes) ?? Buffer.from(bytes).toString('utf8') }
      }
      await body.dump()
      if (isTransientStatus(status)) throw requester.tryLater(url.href, response)
      return { status, text: '' }
    },
  })
}
