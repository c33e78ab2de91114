import { promises as dns } from 'node:dns'
import pLimit from 'p-limit'
import { LruCache } from '../../base/lru-cache.js'
import type { FetchConfig } from './fetch-config.js'

export interface Answer {
  readonly addresses: readonly string[]
  /** Seconds that the answer holds. */
  readonly ttl: number
}

/** Asks for the addresses of a host. Throws an error with a code, as `node:dns` does. */
export type Lookup = (host: string) => Promise<Answer>

/** Finds addresses; remembers them for a time. */
export interface Resolver {
  /** Throws the error of the look-up. */
  resolve(host: string): Promise<readonly string[]>
  /** Look-ups that were made, and those that failed though the host may exist. */
  readonly counts: { readonly lookups: number; readonly failures: number }
  /** Whether the name servers have failed one look-up after another for long: to ask at once again is of no use. */
  readonly isFailing: boolean
  /** Gives up on what is under way. */
  close(): void
}

/** Hosts that are remembered. */
const maxCachedHosts = 50_000

/** Look-ups that fail in a row where it is the name servers that are in trouble, and not those of a host. */
const failingInRow = 32

/** What is remembered of a host, and for how long. */
type CachedAnswer = { readonly ttlMs: number } & (
  | { readonly addresses: readonly string[] }
  | { readonly error: unknown }
)

/** Codes that say that there is no such host, or that it has no address. */
const noSuchHostCodes = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'ENONAME'])

/** Whether a failed look-up says that the host does not exist, so that asking again is of no use. */
export const isNoSuchHost = (code: string | undefined): boolean =>
  code !== undefined && noSuchHostCodes.has(code)

/**
 * The first address of a host.
 *
 * @throws Error as `node:dns` does, where there is none
 */
export function firstAddress(host: string, addresses: readonly string[]): string {
  const [first] = addresses
  if (first !== undefined) return first
  throw Object.assign(new Error(`${host} has no address`), { code: 'ENODATA' })
}

/**
 * A resolver that asks each host once at a time, a bounded number of them at once, and keeps the answers for
 * as long as they hold. What does not exist is remembered too; a name server that failed is asked again.
 *
 * @param isLocal tells the hosts that the system knows best
 * @param customLookup asks in the place of the name servers
 * @param now the clock, in milliseconds, by which answers hold
 */
export function createResolver(
  config: FetchConfig['dns'],
  isLocal: (host: string) => boolean = () => false,
  customLookup?: Lookup,
  now: () => number = Date.now,
): Resolver {
  const direct = customLookup ? undefined : directLookup(config, isLocal)
  const lookup = customLookup ?? direct!.lookup
  const cache = new LruCache<string, CachedAnswer>({
    maxSize: maxCachedHosts,
    ttlOf: ({ ttlMs: holdsMs }) => holdsMs,
    now,
  })
  const limit = pLimit(config.lookups)
  const counts = { lookups: 0, failures: 0 }
  let inRow = 0
  let isClosed = false

  const ask = async (host: string): Promise<CachedAnswer> => {
    if (isClosed) throw Object.assign(new Error(`query ${host}: cancelled`), { syscall: 'query' })
    counts.lookups++
    try {
      const { addresses, ttl } = await lookup(host)
      inRow = 0
      return { addresses, ttlMs: 1000 * Math.min(ttl, config.cache_s) }
    } catch (error) {
      if (isNoSuchHost((error as NodeJS.ErrnoException).code)) {
        inRow = 0
        return { error, ttlMs: 1000 * config.failure_cache_s }
      }
      counts.failures++
      inRow++
      throw error
    }
  }
  return {
    counts,
    get isFailing() {
      return inRow >= failingInRow
    },
    close() {
      isClosed = true
      direct?.cancel()
    },
    async resolve(host) {
      const known = await cache.load(host, () => limit(ask, host))
      if ('error' in known) throw known.error
      return known.addresses
    },
  }
}

/**
 * Look-ups that speak to the name servers themselves: the system's own take a thread each, of which there are
 * few, and pictures are decoded on them. A host without IPv4 addresses is asked for its IPv6 ones. Local
 * names, those without a point, and all where no name server can be reached are the system's business: they
 * may stand in its hosts file.
 */
function directLookup({ servers, timeout_ms }: FetchConfig['dns'], isLocal: (host: string) => boolean) {
  const resolver = new dns.Resolver({ timeout: timeout_ms, tries: 2 })
  if (servers) resolver.setServers(servers)
  const lookup: Lookup = async (host) => {
    if (isLocal(host) || !host.replace(/\.$/, '').includes('.')) return systemLookup(host)
    try {
      return answerOf(await resolver.resolve4(host, { ttl: true }))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // Where no name server is there, that the system knows no such host says nothing.
      if (code === 'ECONNREFUSED')
        return systemLookup(host).catch(() => {
          throw error
        })
      if (code !== 'ENODATA') throw error
      return answerOf(await resolver.resolve6(host, { ttl: true }))
    }
  }
  return { lookup, cancel: () => resolver.cancel() }
}

const answerOf = (records: readonly { readonly address: string; readonly ttl: number }[]): Answer => ({
  addresses: records.map(({ address }) => address),
  ttl: Math.min(...records.map(({ ttl }) => ttl)),
})

async function systemLookup(host: string): Promise<Answer> {
  const found = await dns.lookup(host, { all: true })
  // The system does not say how long its answer holds.
  return { addresses: found.map(({ address }) => address), ttl: 60 }
}
