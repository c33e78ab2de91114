import { LruCache } from '../../base/lru-cache.js'
import { parseJson } from '../../base/parse-json.js'
import type { TdmReservation } from './opt-out.js'
import { Reject } from './reject.js'
import type { RobotsAnswer } from './robots.js'
import { createPattern, type RobotsPattern, robotsPath } from './robots-pattern.js'

/** The files /.well-known/tdmrep.json of servers (TDM Reservation Protocol), each asked for once. */
export interface TdmFiles {
  /** Asks for the file of an address's server, where it is not known. Throws nothing but what ends the crawl. */
  read(url: URL, signal?: AbortSignal): Promise<void>
  /** What the file says of an address; undefined where it says nothing, or was not read. */
  reservation(url: URL): TdmReservation | undefined
}

interface TdmRule extends RobotsPattern, TdmReservation {}

const dayMs = 86_400_000
/** One that cannot be had is asked for again after this. */
const failureMs = 60_000
/** Rules that one file is read for. */
const maxRules = 1000
/** A longer pattern is left out, as in robots.txt. */
const maxPatternLength = 2048
/** Characters of the rules that are remembered, of all servers together. */
const maxCachedCharacters = 8_000_000
/** What a server, and a rule, takes besides its text. */
const ruleCharacters = 200

/** @param ask gets an address, with its redirects. Throws a Reject where there is no answer. */
export function createTdmFiles(ask: (url: URL, signal?: AbortSignal) => Promise<RobotsAnswer>): TdmFiles {
  const cache = new LruCache<string, { readonly rules: readonly TdmRule[]; readonly isThere: boolean }>({
    maxSize: maxCachedCharacters,
    sizeOf: ({ rules }) => rules.reduce((sum, { length }) => sum + length + ruleCharacters, ruleCharacters),
    ttlOf: ({ isThere }) => (isThere ? dayMs : failureMs),
  })
  return {
    async read(url, signal) {
      await cache.load(url.origin, async () => {
        try {
          const { status, text } = await ask(new URL('/.well-known/tdmrep.json', url.origin), signal)
          return { rules: status === 200 ? parseTdmFile(text) : [], isThere: status < 500 }
        } catch (error) {
          signal?.throwIfAborted()
          if (!(error instanceof Reject)) throw error
          // A server that does not give the file does not follow the protocol.
          return { rules: [], isThere: false }
        }
      })
    },
    reservation(url) {
      const path = robotsPath(url.pathname + url.search)
      const rule = cache.get(url.origin)?.rules.find(({ matches }) => matches(path))
      return rule && { reserved: rule.reserved, policy: rule.policy }
    },
  }
}

/**
 * The rules of a tdmrep.json: patterns as those of robots.txt, of which the first that matches counts. A rule without a
 * pattern or with another value than 0 and 1 says nothing, and so does what is no such file.
 */
export function parseTdmFile(text: string): TdmRule[] {
  let listed: unknown
  try {
    listed = parseJson(text)
  } catch {
    return []
  }
  return [listed]
    .flat()
    .slice(0, maxRules)
    .flatMap((one) => {
      if (typeof one !== 'object' || one === null) return []
      const { location, 'tdm-reservation': value, 'tdm-policy': policy } = one as Record<string, unknown>
      if (typeof location !== 'string' || location === '' || location.length > maxPatternLength) return []
      const said = String(value).trim()
      if (said !== '0' && said !== '1') return []
      return {
        ...createPattern(location.startsWith('*') ? location : `/${location.replace(/^\//, '')}`),
        ...{ reserved: said === '1', policy: typeof policy === 'string' ? policy : null },
      }
    })
}
