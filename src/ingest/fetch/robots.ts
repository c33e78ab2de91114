import { LruCache } from '../../base/lru-cache.js'
import { type FetchConfig, productToken } from './fetch-config.js'
import type { HostLimiter } from './host-limiter.js'
import { Reject } from './reject.js'
import { parseRobots, type RobotsRules } from './robots-rules.js'
import { Transient } from './transient.js'
import { trainingUses, usageReason } from './usage-preferences.js'

/** What a server says of its robots.txt. */
export interface RobotsAnswer {
  readonly status: number
  readonly text: string
}

export interface Robots {
  /**
   * Throws a Reject where robots.txt forbids an address, may not be assumed to allow it, or disallows a use that the
   * configuration names; waits for its Crawl-delay.
   *
   * @returns the licences that it names
   */
  check(url: URL, signal?: AbortSignal): Promise<readonly string[]>
}

/** `size`: characters that they take in the cache. */
type Rules = { readonly size: number } & (
  | {
      readonly kind: 'rules'
      readonly rules: RobotsRules
      readonly pause: number
    }
  | { readonly kind: 'failure'; readonly reason: string; readonly detail: string }
)

/** RFC 9309, 2.4: no copy older than a day. */
const dayMs = 86_400_000
/** One that cannot be had is asked for again after this. */
const failureMs = 60_000
/** What is wrong with a robots.txt alone, and says nothing of pictures. */
const robotsAlone = new Set(['bad_encoding', 'bad_response'])
/** Characters of the rules that are remembered, of all servers together. */
const maxCachedCharacters = 32_000_000
/** What an origin takes besides the text of its rules. */
const originCharacters = 200

/**
 * Rules of robots.txt, asked for once an origin (RFC 9309): what is not there (4xx) allows everything, a
 * server that fails (5xx) allows nothing, and one that cannot be reached fails as the picture itself would.
 * What may pass is never remembered: the next one who asks asks the server again.
 *
 * @param limiter keeps the Crawl-delay
 * @param ask gets an address, with its redirects. Throws a Reject where there is no answer.
 */
export function createRobots(
  config: FetchConfig,
  limiter: HostLimiter,
  ask: (url: URL, signal?: AbortSignal) => Promise<RobotsAnswer>,
): Robots {
  const token = productToken(config)
  const { content_usage: refused = trainingUses } = config
  const cache = new LruCache<string, Rules>({
    maxSize: maxCachedCharacters,
    sizeOf: ({ size }) => size,
    ttlOf: ({ kind }) => (kind === 'failure' ? failureMs : dayMs),
  })

  async function read(origin: string, signal?: AbortSignal): Promise<Rules> {
    const url = new URL('/robots.txt', origin)
    try {
      const { status, text } = await ask(url, signal)
      if (status >= 500) throw new Transient('robots_unreachable', `${url.href} answered ${status}`)
      return parse(status === 200 ? text : '')
    } catch (error) {
      // What a crawl was ended with says nothing of the server.
      signal?.throwIfAborted()
      if (!(error instanceof Reject)) throw error
      const { reason, message } = error
      if (error instanceof Transient && !/^http_5/.test(reason)) throw error
      if (error instanceof Transient) throw new Transient('robots_unreachable', message, error.retryAfter)
      if (robotsAlone.has(reason)) throw new Transient('robots_unreachable', message)
      // Redirects without end are as good as no rules (RFC 9309, 2.3.1.2); all else is how the picture would
      // fare.
      return reason === 'too_many_redirects' ? parse('') : failure(reason, message)
    }
  }

  function parse(text: string): Rules {
    const rules = parseRobots(text, token)
    const seconds = Math.min(rules.crawlDelay ?? 0, config.max_crawl_delay_s)
    return {
      ...{ kind: 'rules', rules, pause: seconds > 0 ? 1000 * seconds : 0 },
      size: rules.size + originCharacters,
    }
  }

  return {
    async check(url, signal) {
      const known = await cache
        .load(url.origin, () => read(url.origin, signal))
        .catch((error: unknown) => {
          if (!(error instanceof Transient)) throw error
          throw new Transient(error.reason, `${url.href}: ${error.message}`, error.retryAfter)
        })
      if (known.kind === 'failure') throw new Reject(known.reason, `${url.href}: ${known.detail}`)
      const { rules, pause } = known
      const path = url.pathname + url.search
      if (!rules.isAllowed(path)) throw new Reject('robots', `${url.origin}/robots.txt forbids ${url.href}`)
      const disallowed = rules.disallowedUses(path)
      const use = refused.find((name) => disallowed.has(name))
      if (use) throw new Reject(usageReason(use), `${url.origin}/robots.txt says ${use}: no of ${url.href}`)
      if (pause > 0) await limiter.delay(`origin:${url.origin}`, pause, signal)
      return rules.licenses
    },
  }
}

const failure = (reason: string, detail: string): Rules => ({
  ...{ kind: 'failure', reason, detail },
  size: originCharacters,
})
